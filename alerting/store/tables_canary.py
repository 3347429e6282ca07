"""The one row of the self-check: how the latest canary fared, and how often an invariant was found broken. No query."""

from sqlalchemy import Column, Float, Integer, String, Table

from devices.store.types import Instant, metadata

canary = Table(
    "canary",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),  # always 1: the row is used again and again
    Column("every_s", Float, nullable=False, default=0.0),  # 0: switched off
    Column("looked_at", Instant),  # when the publisher last sent one and judged the one before
    Column("misses", Integer, nullable=False, default=0),  # in a row
    Column("token", String(16)),  # of the one committed last
    Column("sent_at", Instant),
    Column("committed_at", Instant),
    Column("taken_token", String(16)),  # handed to the loop-back provider by a process that sends
    Column("heard_token", String(16)),  # what the loop-back provider got last
    Column("heard_at", Instant),
    Column("seconds", Float),  # from its publication to the loop-back provider
    Column("violations", Integer, nullable=False, default=0),  # incidents found without anything due, ever
    Column("violated_at", Instant),
)
