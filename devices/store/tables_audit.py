"""Tables of the audit: one chain of rows, and the end of that chain. Rows are never changed. Never holds a query."""

from sqlalchemy import BigInteger, Column, Integer, String, Table

from devices.store.types import Document, Instant, PathText, Word, metadata

audit = Table(
    "audit",
    metadata,
    Column("id", BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=False),
    Column("at", Instant, nullable=False),
    Column("actor_id", String(64), nullable=False),
    Column("actor", String(64), nullable=False),
    Column("via", Word, nullable=False),  # session | key | cli | service
    Column("act", Word, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("object_id", String(128), nullable=False, index=True),
    Column("path", PathText),  # the place it belongs to; None: the whole deployment
    Column("detail", Document, nullable=False),
    Column("hash", String(64), nullable=False),
)

audit_head = Table(
    "audit_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),  # always 1
    Column("last_id", BigInteger, nullable=False),
    Column("hash", String(64), nullable=False),
)
