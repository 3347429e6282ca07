"""Table of drills: who exercised what, where and until when. What was sent stands in the incident's own rows."""

from sqlalchemy import Column, Index, String, Table, Text

from devices.store.types import Id, Instant, Word, metadata

drills = Table(
    "drills",
    metadata,
    Column("id", Id, primary_key=True),
    Column("incident_id", Id, nullable=False, unique=True),
    Column("grid_id", Id, nullable=False, index=True),
    Column("place_id", Id, nullable=False),
    Column("code", Word, nullable=False),
    Column("note", Text),
    Column("started_at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=False),  # then it ends by itself
    Column("started_by", String(64), nullable=False),
    Column("started_by_name", String(64), nullable=False),
    Column("ended_at", Instant),
    Column("end_reason", Word),
    Column("ended_by", String(64)),
)
_running = drills.c.ended_at.is_(None)
Index(
    "uq_drills_running_grid", drills.c.grid_id, unique=True, sqlite_where=_running, postgresql_where=_running
)  # one at a time in a grid
