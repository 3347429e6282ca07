"""Tables of incidents, notifications, attempts, callbacks, policies. Never holds a query."""

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint

from devices.store.types import Document, Id, Instant, Sequence, Word, metadata

events = Table(
    "events",
    metadata,
    Column("device_id", String(64), primary_key=True),
    Column("event_id", String(64), primary_key=True),
    Column("content_hash", String(64), primary_key=True),
    Column("code", Word),
    Column("signal", Word, nullable=False),
    Column("values", Document),
    Column("observed_at", Instant),
    Column("received_at", Instant, nullable=False, index=True),
    Column("test", Boolean, nullable=False, default=False),
)

incidents = Table(
    "incidents",
    metadata,
    Column("id", Id, primary_key=True),
    Column("reference", String(8), nullable=False, index=True),
    Column("dedup_key", String(192), nullable=False),
    Column("holds_key", Boolean, nullable=False),  # new signals of its key join it
    Column("code", Word, nullable=False),
    Column("cls", String(1), nullable=False),
    Column("severity", Integer, nullable=False),
    Column("condition", Word, nullable=False),
    Column("ack", Word, nullable=False),
    Column("work", Word, nullable=False),
    Column("device_id", String(64)),
    Column("place_id", Id),
    Column("grid_id", Id, index=True),
    Column("place_text", Document, nullable=False),  # {"zh-CN": ..., "en": ..., "spoken": ..., "lat": ..., "lon": ...}
    Column("opened_at", Instant, nullable=False, index=True),
    Column("policy", Document, nullable=False),  # frozen at opening
    Column("round", Integer, nullable=False, default=0),
    Column("step", Integer, nullable=False, default=0),
    Column("due_at", Instant),
    Column("due_reason", Word),
    Column("due_set_at", Instant),  # a due time says when it was set: a clock set forward or back is found out
    Column("taken_by", Id),
    Column("taken_at", Instant),
    Column("acknowledged_by", String(64)),
    Column("acknowledged_at", Instant),
    Column("verified", Document),
    Column("closed_at", Instant),
    Column("evaluated", Document),
    Column("extent", Document, nullable=False),
    Column("signals", Integer, nullable=False, default=1),
    Column("version", Integer, nullable=False, default=1),
    Column("raised_by", String(64)),  # a person or a login; null: a device
    Column("raised_via", Word),
    Column("linked_to", Id),  # the incident that this one reopens
    Column("drill_id", Id),
    Column("shelved_until", Instant),
    Column("acknowledged_until", Instant),
)
Index(
    "uq_incidents_open_dedup_key",
    incidents.c.dedup_key,
    unique=True,
    sqlite_where=incidents.c.holds_key,
    postgresql_where=incidents.c.holds_key,
)
_unclosed = incidents.c.closed_at.is_(None)
Index("ix_incidents_due", incidents.c.due_at, sqlite_where=_unclosed, postgresql_where=_unclosed)

for _limit in (incidents.c.shelved_until, incidents.c.acknowledged_until):
    _until = _unclosed & _limit.is_not(None)
    Index(f"ix_incidents_{_limit.name}", _limit, sqlite_where=_until, postgresql_where=_until)
_open_drill = incidents.c.closed_at.is_(None) & incidents.c.drill_id.is_not(None)
Index("ix_incidents_open_drills", incidents.c.drill_id, sqlite_where=_open_drill, postgresql_where=_open_drill)

incident_overlays = Table(
    "incident_overlays",
    metadata,
    Column("incident_id", Id, ForeignKey("incidents.id"), primary_key=True),
    Column("kind", Word, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("detail", Document),
)

timeline = Table(
    "timeline",
    metadata,
    Column("seq", Sequence, primary_key=True, autoincrement=True),  # also the live stream's id: commit order
    Column("incident_id", Id, nullable=False, index=True),
    Column("at", Instant, nullable=False),
    Column("kind", Word, nullable=False),
    Column("reason", Word, nullable=False),
    Column("actor", String(64), nullable=False),
    Column("data", Document),
)

notifications = Table(
    "notifications",
    metadata,
    Column("id", Id, primary_key=True),
    Column("incident_id", Id, nullable=False),  # the unique constraint below begins with it
    Column("round", Integer, nullable=False),
    Column("step", Integer, nullable=False),
    Column("recipient_id", Id, nullable=False, index=True),
    Column("channel", Word, nullable=False),
    Column("purpose", Word, nullable=False),
    Column("address", String(128), nullable=False),
    Column("language", String(8), nullable=False),
    Column("urgency", Integer, nullable=False),
    Column("text", Text, nullable=False),
    Column("wording", Document),  # {"template": ..., "variables": {...}}
    Column("redial_gap_s", Integer, nullable=False, default=0),
    Column("redial_max", Integer, nullable=False, default=0),
    Column("state", Word, nullable=False),  # the best of its attempts
    Column("rank", Integer, nullable=False, default=0),  # of the state; only rises
    Column("planned_at", Instant, nullable=False),
    UniqueConstraint(
        "incident_id", "round", "step", "recipient_id", "channel", "purpose", name="uq_notifications_intent"
    ),
)

Index("ix_notifications_address", notifications.c.address, notifications.c.planned_at)

attempts = Table(
    "attempts",
    metadata,
    Column("id", String(13), primary_key=True),
    Column("notification_id", Id, nullable=False),  # the unique constraint below begins with it
    Column("incident_id", Id, nullable=False, index=True),
    Column("number", Integer, nullable=False),
    Column("reason", Word, nullable=False),
    Column("provider", Word, nullable=False),
    Column("state", Word, nullable=False),
    Column("rank", Integer, nullable=False, default=0),  # of the state; only rises
    Column(
        "due_at", Instant
    ),  # planned: submit; sending: the lease's end; unknown: ask the provider; null: nothing to do
    Column("lease_boot", Sequence),
    Column("received_at", Instant),  # of the event that caused it, for the product figure
    Column("planned_at", Instant, nullable=False),
    Column("submitted_at", Instant),
    Column("provider_accepted_at", Instant),
    Column("first_receipt_at", Instant),
    Column("delivered_at", Instant),
    Column("observed_at", Instant),  # by the device's own clock, where it is trusted
    Column("clock", Word),  # whether it is, or why not
    Column("committed_at", Instant),
    Column("answered_at", Instant),
    Column("taken_at", Instant),
    Column("ended_at", Instant),  # a call: the phone is free again
    Column("provider_ref", String(64)),
    Column("error", String(64)),
    UniqueConstraint("notification_id", "number"),
)
_waiting = attempts.c.due_at.is_not(None)
Index("ix_attempts_due", attempts.c.due_at, sqlite_where=_waiting, postgresql_where=_waiting)
_forgotten = attempts.c.due_at.is_(None) & attempts.c.state.in_(("planned", "sending"))
Index("ix_attempts_forgotten", attempts.c.incident_id, sqlite_where=_forgotten, postgresql_where=_forgotten)
_referred = attempts.c.provider_ref.is_not(None)
Index("ix_attempts_reference", attempts.c.provider_ref, sqlite_where=_referred, postgresql_where=_referred)
_unconfirmed = attempts.c.state.in_(("provider_accepted", "sent"))
Index(
    "ix_attempts_unconfirmed",
    attempts.c.provider_accepted_at,
    sqlite_where=_unconfirmed,
    postgresql_where=_unconfirmed,
)

callbacks = Table(
    "callbacks",
    metadata,
    Column("id", Sequence, primary_key=True, autoincrement=True),
    Column("provider", Word, nullable=False),
    Column("dedupe", String(128), nullable=False),
    Column("attempt_id", String(13)),
    Column("body", Document, nullable=False),
    Column("received_at", Instant, nullable=False, index=True),
    Column("folded_at", Instant),
    UniqueConstraint("provider", "dedupe"),
)
Index(
    "ix_callbacks_unfolded",
    callbacks.c.id,
    sqlite_where=callbacks.c.folded_at.is_(None),
    postgresql_where=callbacks.c.folded_at.is_(None),
)

boots = Table(
    "boots",
    metadata,
    Column("id", Sequence, primary_key=True, autoincrement=True),
    Column("started_at", Instant, nullable=False),
    Column("instance", String(128), nullable=False),
)

policies = Table(
    "policies",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", String(64), nullable=False, unique=True),
    Column("position", Integer, nullable=False),  # first match wins
    Column("document", Document, nullable=False),
    Column("version", Integer, nullable=False, default=1),
)
