"""The table of what households were told at the end of an incident, and whether they were satisfied. No query."""

from sqlalchemy import Column, ForeignKey, Index, Integer, PrimaryKeyConstraint, String, Table

from devices.store.types import Id, Instant, Word, metadata

incident_results = Table(
    "incident_results",
    metadata,
    Column("incident_id", Id, ForeignKey("incidents.id"), nullable=False),
    Column("recipient_id", Id, nullable=False),
    Column("token_hash", String(64)),  # of the link's token; null: the text had no link
    Column("told_at", Instant, nullable=False, index=True),
    Column("expires_at", Instant, nullable=False),
    Column("satisfied", Integer),  # null: not answered
    Column("answered_at", Instant),
    Column("answered_via", Word),  # link | sms
    PrimaryKeyConstraint("incident_id", "recipient_id"),
)
Index("ix_incident_results_token_hash", incident_results.c.token_hash, unique=True)
