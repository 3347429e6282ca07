"""Tables of the HTTP edge: keys of callers and answers already given. Never holds a query."""

from sqlalchemy import Column, Integer, PrimaryKeyConstraint, String, Table

from devices.store.types import Document, Id, Instant, Word, metadata

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", String(64), nullable=False, unique=True),
    Column("role", Word, nullable=False),
    Column("key_hash", String(64), nullable=False, unique=True),
    Column("person_id", Id),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant),
    Column("revoked_at", Instant),
    Column("last_used_at", Instant),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("key", String(128), nullable=False),
    Column("api_key_id", Id, nullable=False),
    Column("route", String(128), nullable=False),
    Column("body_hash", String(64), nullable=False),
    Column("status", Integer),
    Column("response", Document),
    Column("created_at", Instant, nullable=False, index=True),
    PrimaryKeyConstraint("key", "api_key_id"),
)
