"""Tables of interlocks: what each device may be made to do, and every command to one. Never holds a query."""

from sqlalchemy import Boolean, Column, Index, Integer, PrimaryKeyConstraint, String, Table

from devices.store.types import Document, Id, Instant, Word, metadata

device_actions = Table(
    "device_actions",
    metadata,
    Column("device_id", String(64), nullable=False),
    Column("action", Word, nullable=False),
    Column("declared", Boolean, nullable=False, default=False),  # by this device, beside what its model declares
    Column("permitted", Boolean, nullable=False, default=False),
    Column("permitted_by", String(64)),
    Column("permitted_at", Instant),
    PrimaryKeyConstraint("device_id", "action"),
)

commands = Table(
    "commands",
    metadata,
    Column("id", Id, primary_key=True),
    Column("key", String(192), unique=True),  # incident, device and action; null: asked for by hand
    Column("incident_id", Id, index=True),
    Column("device_id", String(64), nullable=False, index=True),
    Column("action", Word, nullable=False),
    Column("args", Document, nullable=False),
    Column("state", Word, nullable=False),
    Column("rank", Integer, nullable=False, default=0),  # of the state; only rises
    Column("reason", String(200)),  # why it was refused or failed: a reason word, or the device's own
    Column("values", Document),  # of the answer
    Column("asked_by", String(64), nullable=False),
    Column("asked_by_name", String(64), nullable=False),
    Column("asked_why", String(200)),
    Column("planned_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("due_at", Instant),  # to be sent, again too; null: nothing to do
    Column("sends", Integer, nullable=False, default=0),
    Column("sent_at", Instant),  # first handed to the broker
    Column("answered_at", Instant),
    Column("audited_at", Instant),  # null: the audit does not know of it yet
    Column("told", Integer),  # which failed cut-off of its incident it was, as told to people
)
_waiting = commands.c.due_at.is_not(None)
Index("ix_commands_due", commands.c.due_at, sqlite_where=_waiting, postgresql_where=_waiting)
_unaudited = commands.c.audited_at.is_(None)
Index("ix_commands_unaudited", commands.c.id, sqlite_where=_unaudited, postgresql_where=_unaudited)
