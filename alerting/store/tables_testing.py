"""Tables of testing: sessions, alarm tests, alarms that wait, messages of no incident. Never holds a query."""

from sqlalchemy import Boolean, Column, Float, ForeignKey, Index, Integer, PrimaryKeyConstraint, String, Table, Text

from devices.store.types import Document, Id, Instant, Sequence, Word, metadata

test_sessions = Table(
    "test_sessions",
    metadata,
    Column("id", Id, primary_key=True),
    Column("place_id", Id),  # where it was asked for by place; None: its devices were named
    Column("started_at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=False, index=True),
    Column("ended_at", Instant),  # early
    Column("started_by", String(64), nullable=False),
    Column("started_by_name", String(64), nullable=False),
)

test_session_devices = Table(
    "test_session_devices",
    metadata,
    Column("session_id", Id, ForeignKey("test_sessions.id"), nullable=False),
    Column("device_id", String(64), nullable=False, index=True),
    PrimaryKeyConstraint("session_id", "device_id"),
)

walk_tests = Table(
    "walk_tests",
    metadata,
    Column("id", Id, primary_key=True),
    Column("device_id", String(64), nullable=False, index=True),
    Column("state", Word, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("started_by", String(64), nullable=False),
    Column("started_by_name", String(64), nullable=False),
    Column("limit_s", Integer, nullable=False),
    Column("restores", Boolean, nullable=False),
    Column("signal_dbm_min", Integer),
    Column("alarm_at", Instant),
    Column("alarm_code", Word),
    Column("restored_at", Instant),
    Column("signal_dbm", Float),
    Column("signal_at", Instant),
    Column("rehearsal", Document),  # who would be called, in which words
    Column("paged", Boolean, nullable=False, default=False),
    Column("lacks", Document, nullable=False),
    Column("version", Integer, nullable=False, default=1),
)
_running = walk_tests.c.state == "running"
Index("uq_walk_tests_running", walk_tests.c.device_id, unique=True, sqlite_where=_running, postgresql_where=_running)

real_messages = Table(
    "real_messages",
    metadata,
    Column("compound_id", Id, nullable=False),
    Column("day", String(10), nullable=False),  # ISO local date: one real text and call per compound and day
    Column("walk_test_id", Id, nullable=False, index=True),
    PrimaryKeyConstraint("compound_id", "day"),
)

held_alarms = Table(
    "held_alarms",
    metadata,
    Column("id", Id, primary_key=True),  # of the incident, should it open one
    Column("reference", String(8), nullable=False),
    Column("device_id", String(64), nullable=False),
    Column("code", Word, nullable=False),
    Column("building_id", Id, nullable=False),
    Column("room_id", Id, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("observed_at", Instant),
    Column("due_at", Instant, nullable=False),  # never without: an alarm that waits cannot be forgotten
    Column("settled_at", Instant),
    Column("outcome", Word),  # the reason: test_restored, test_passed, not_restored, two_rooms, beside_alarm
    Column("incident_id", Id),  # the one it opened or joined
)
_waiting = held_alarms.c.settled_at.is_(None)
Index(
    "uq_held_alarms_waiting",
    held_alarms.c.device_id,
    held_alarms.c.code,
    unique=True,
    sqlite_where=_waiting,
    postgresql_where=_waiting,
)
Index("ix_held_alarms_due", held_alarms.c.due_at, sqlite_where=_waiting, postgresql_where=_waiting)

probes = Table(
    "probes",
    metadata,
    Column("id", String(13), primary_key=True),  # the attempt id that providers call back with
    Column("kind", Word, nullable=False),  # contact | real_message | household | self_test
    Column("contact_id", Id, index=True),
    Column("walk_test_id", Id, index=True),
    Column("person_id", Id),
    Column("channel", Word, nullable=False),
    Column("address", String(128), nullable=False, index=True),
    Column("language", String(8), nullable=False),
    Column("text", Text, nullable=False),  # emptied once it is sent: it holds the code
    Column("wording", Document),  # the same for carriers of registered templates; emptied with it
    Column("code_hash", String(64)),
    Column("tries", Integer, nullable=False, default=0),
    Column("state", Word, nullable=False),
    Column("rank", Integer, nullable=False, default=0),  # of the state; only rises
    Column("sends", Integer, nullable=False, default=0),
    Column("created_at", Instant, nullable=False, index=True),
    Column("due_at", Instant),  # planned: send; sending: the lease's end; None: nothing to do
    Column("send_before", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("lease_boot", Sequence),
    Column("provider", Word),
    Column("subscription_id", Id),  # the one that it goes to and no other
    Column("provider_ref", String(64)),
    Column("error", String(64)),
    Column("confirmed_at", Instant),
    Column("denied_at", Instant),
)
_unsent = probes.c.due_at.is_not(None)
Index("ix_probes_due", probes.c.due_at, sqlite_where=_unsent, postgresql_where=_unsent)
