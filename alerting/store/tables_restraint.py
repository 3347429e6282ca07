"""Tables of restraint: folded pages, summaries, what waits for the morning, digests, maintenance windows.

Never holds a query.
"""

from sqlalchemy import Column, Index, Integer, PrimaryKeyConstraint, String, Table, Text

from alerting.store.tables import incidents
from devices.store.types import Document, Id, Instant, Word, metadata

building_pages = Table(
    "building_pages",
    metadata,
    Column("id", Id, primary_key=True),
    Column("building_id", Id, nullable=False),
    Column("recipient_id", Id, nullable=False),
    Column("channel", Word, nullable=False),
    Column("code", Word, nullable=False),
    Column("at", Instant, nullable=False),
)
"""Pages below life safety that went out lately: what folding counts. Pages of a fire are counted on its incident."""
Index("ix_building_pages_recent", building_pages.c.building_id, building_pages.c.at)

folded_pages = Table(
    "folded_pages",
    metadata,
    Column("id", Id, primary_key=True),
    Column("recipient_id", Id, nullable=False),
    Column("building_id", Id, nullable=False),
    Column("channel", Word, nullable=False),
    Column("incident_id", Id, nullable=False, index=True),
    Column("code", Word, nullable=False),
    Column("place_text", Document, nullable=False),
    Column("at", Instant, nullable=False),
    Column("told_at", Instant),  # the moment of the summary that says it
)
_untold = folded_pages.c.told_at.is_(None)
Index(
    "ix_folded_pages_untold",
    folded_pages.c.recipient_id,
    folded_pages.c.building_id,
    folded_pages.c.channel,
    sqlite_where=_untold,
    postgresql_where=_untold,
)

summaries = Table(
    "summaries",
    metadata,
    Column("recipient_id", Id, nullable=False),
    Column("building_id", Id, nullable=False),
    Column("channel", Word, nullable=False),
    Column("due_at", Instant),  # null: nothing waits to be told
    Column("planned_at", Instant),  # when the due time was given
    Column("not_before", Instant),  # the last one was a moment ago
    Column("last_at", Instant),
    Column("last_incident_id", Id),
    Column("last_step", Integer),  # with the incident: the last summary's notification
    PrimaryKeyConstraint("recipient_id", "building_id", "channel"),
)
_planned = summaries.c.due_at.is_not(None)
Index("ix_summaries_due", summaries.c.due_at, sqlite_where=_planned, postgresql_where=_planned)

withheld_pages = Table(
    "withheld_pages",
    metadata,
    Column("incident_id", Id, primary_key=True),
    Column("due_at", Instant, nullable=False, index=True),
)

digests = Table(
    "digests",
    metadata,
    Column("day", String(10), nullable=False),  # ISO local date
    Column("grid_id", Id, nullable=False),  # or `*`: the control room's
    Column("at", Instant, nullable=False),
    Column("messages", Integer, nullable=False),
    PrimaryKeyConstraint("day", "grid_id"),
)

maintenance_windows = Table(
    "maintenance_windows",
    metadata,
    Column("id", Id, primary_key=True),
    Column("place_id", Id),  # or a device
    Column("device_id", String(64)),
    Column("starts_at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=False, index=True),
    Column("ended_at", Instant),  # early
    Column("reason", Text, nullable=False),
    Column("made_by", String(64), nullable=False),
    Column("made_by_name", String(64), nullable=False),
    Column("created_at", Instant, nullable=False),
)

_open = incidents.c.closed_at.is_(None)
Index("ix_incidents_place_open", incidents.c.place_id, sqlite_where=_open, postgresql_where=_open)
"""What is open in a building: asked once a minute and summary, and by the list of work orders."""
