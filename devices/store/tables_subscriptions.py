"""Table of where app carriers find people: push subscriptions and user ids of work apps. Never holds a query."""

from sqlalchemy import Column, ForeignKey, String, Table, UniqueConstraint

from devices.store.types import Document, Id, Instant, Word, metadata

subscriptions = Table(
    "subscriptions",
    metadata,
    Column("id", Id, primary_key=True),
    Column("person_id", Id, ForeignKey("people.id"), nullable=False),  # the unique constraint below begins with it
    Column("carrier", Word, nullable=False),
    Column("target", Document, nullable=False),  # a push subscription with its keys, or {"user_id": ...}
    Column("digest", String(64), nullable=False, index=True),  # of the endpoint or the user id: the same one again
    Column("label", String(64), nullable=False, default=""),
    Column("created_at", Instant, nullable=False),
    Column("confirmed_at", Instant),  # the last tap or receipt that came from there
    Column("last_sent_at", Instant),
    Column("gone_at", Instant),
    Column("gone_reason", Word),
    UniqueConstraint("person_id", "carrier", "digest"),
)
