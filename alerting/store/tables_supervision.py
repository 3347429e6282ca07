"""Tables of durable time: when each device is looked at, who listens, how the clock was set. Never holds a query."""

from sqlalchemy import Column, Index, Integer, String, Table

from devices.store.types import Id, Instant, Sequence, metadata

supervision = Table(
    "supervision",
    metadata,
    Column("device_id", String(64), primary_key=True),
    Column("window_s", Integer, nullable=False),  # as of the last look; another one starts a new window
    Column("since", Instant, nullable=False),  # silence before it does not count
    Column("look_at", Instant, nullable=False, index=True),
    Column("offline_since", Instant),
    Column("behind", String(64)),  # the gateway whose silence explains this one's
    Column("incident_id", Id),
)
_offline = supervision.c.offline_since.is_not(None)
Index("ix_supervision_offline", supervision.c.offline_since, sqlite_where=_offline, postgresql_where=_offline)

listening = Table(
    "listening",
    metadata,
    Column("boot", Sequence, primary_key=True, autoincrement=False),
    Column("since", Instant, nullable=False),  # without a break up to `until`
    Column("until", Instant, nullable=False),
)

clock_jumps = Table(
    "clock_jumps",
    metadata,
    Column("id", Sequence, primary_key=True, autoincrement=True),
    Column("boot", Sequence, nullable=False),
    Column("noticed_at", Instant, nullable=False, index=True),  # by the clock as it was set
    Column("by_ms", Sequence, nullable=False),
)
