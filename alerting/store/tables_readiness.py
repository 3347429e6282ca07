"""Tables of readiness: what the last look at each provider account found, and the daily message to each phone that must
be tapped. Never holds a query."""

from sqlalchemy import Column, Index, PrimaryKeyConstraint, String, Table

from devices.store.types import Document, Id, Instant, Word, metadata

provider_checks = Table(
    "provider_checks",
    metadata,
    Column("provider", Word, nullable=False),
    Column("channel", Word, nullable=False),
    Column("checked_at", Instant, nullable=False),
    Column("findings", Document, nullable=False),  # [{about, word, detail, since}]
    Column("balance", String(64)),
    PrimaryKeyConstraint("provider", "channel"),
)

self_tests = Table(
    "self_tests",
    metadata,
    Column("person_id", Id, nullable=False),
    Column("phone", Id, nullable=False, default="stream"),  # a subscription's id, or the app's own stream
    Column("day", String(10), nullable=False),  # ISO local date: one message per phone and day, whoever sends it
    Column("test_id", String(13), nullable=False),  # of the newest message, which is a probe
    Column("sent_at", Instant, nullable=False),
    Column("untapped_since", Instant),  # the first message since the last tap
    Column("tapped_at", Instant),
    Column(
        "refused", String(64), nullable=False, default=""
    ),  # why the carrier would not take the newest message there
    PrimaryKeyConstraint("person_id", "phone"),
)
Index("ix_self_tests_test", self_tests.c.test_id)
