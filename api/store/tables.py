"""Tables of the HTTP edge: callers, their sessions, answers already given. Never holds a query."""

from sqlalchemy import Column, ForeignKey, Integer, PrimaryKeyConstraint, String, Table

from devices.store.types import Document, Id, Instant, Word, metadata

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", String(64), nullable=False, unique=True),
    Column("role", Word, nullable=False),
    Column("key_hash", String(64), nullable=False, unique=True),
    Column("person_id", Id),
    Column("place_id", Id),  # the node of the place tree below which it may act; None: everywhere
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

users = Table(
    "users",
    metadata,
    Column("id", Id, primary_key=True),
    Column("login", String(64), nullable=False, unique=True),
    Column("name", String(64), nullable=False),
    Column("language", String(8), nullable=False),
    Column("password_hash", String(256), nullable=False),
    Column("person_id", Id),
    Column("created_at", Instant, nullable=False),
    Column("disabled_at", Instant),
    Column("changed_at", Instant, nullable=False, index=True),  # rights or password: other processes look for it
    Column("version", Integer, nullable=False, default=1),
)

user_grants = Table(
    "user_grants",
    metadata,
    Column("user_id", Id, ForeignKey("users.id"), nullable=False),
    Column("role", Word, nullable=False),
    Column("place_id", String(36), nullable=False),  # "" is everywhere: a key column cannot be NULL
    PrimaryKeyConstraint("user_id", "role", "place_id"),
)

sessions = Table(
    "sessions",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("user_id", Id, ForeignKey("users.id"), nullable=False, index=True),
    Column("created_at", Instant, nullable=False),
    Column("last_seen_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False, index=True),
    Column("ended_at", Instant, index=True),
    Column("address", String(64), nullable=False),
)
