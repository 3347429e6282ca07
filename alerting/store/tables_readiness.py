"""Tables of readiness: what the last look at each provider account found, and the daily message that must be tapped."""

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
    Column("person_id", Id, primary_key=True),
    Column("day", String(10), nullable=False),  # ISO local date: one message per person and day, whoever sends it
    Column("test_id", String(13), nullable=False),  # of the newest message, which is a probe
    Column("sent_at", Instant, nullable=False),
    Column("untapped_since", Instant),  # the first message since the last tap
    Column("tapped_at", Instant),
)
Index("ix_self_tests_test", self_tests.c.test_id)
