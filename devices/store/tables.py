"""Tables of the registry: places, grids, people, duty, devices, last seen, quarantine. Never holds a query."""

from sqlalchemy import (
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from devices.store.types import Document, Id, Instant, PathText, Sequence, Word, metadata

places = Table(
    "places",
    metadata,
    Column("id", Id, primary_key=True),
    Column("parent_id", Id, ForeignKey("places.id"), index=True),
    Column("kind", Word, nullable=False),
    Column("code", String(64), unique=True),
    Column("name", String(64), nullable=False),
    Column("name_en", String(32), nullable=False),
    Column("path", PathText, nullable=False, index=True),  # ids from the root down to itself, joined by "/"
    Column("lat", Float),
    Column("lon", Float),
    Column("version", Integer, nullable=False, default=1),
)

grids = Table(
    "grids",
    metadata,
    Column("id", Id, primary_key=True),
    Column("code", String(64), nullable=False, unique=True),
    Column("name", String(64), nullable=False),
    Column("name_en", String(32), nullable=False),
    Column("community_id", Id, ForeignKey("places.id")),
    Column("night_from", Integer),  # local minutes of the day; both or neither: the night rule
    Column("night_to", Integer),
    Column("version", Integer, nullable=False, default=1),
)

grid_places = Table(
    "grid_places",
    metadata,
    Column("place_id", Id, ForeignKey("places.id"), primary_key=True),
    Column("grid_id", Id, ForeignKey("grids.id"), nullable=False, index=True),
)

people = Table(
    "people",
    metadata,
    Column("id", Id, primary_key=True),
    Column("kind", Word, nullable=False),
    Column("code", String(64), nullable=False, unique=True),
    Column("name", String(64), nullable=False),
    Column("name_en", String(64), nullable=False),
    Column("language", String(8), nullable=False),
    Column("left_at", Instant),
    Column("place_id", Id, index=True),  # where he belongs; nowhere: only who sees everything sees him
    Column("hours_from", Integer),  # volunteers: local minutes of the day between which they may be asked
    Column("hours_to", Integer),
    Column("night_calls_consent_at", Instant),
    Column("version", Integer, nullable=False, default=1),
)

contact_points = Table(
    "contact_points",
    metadata,
    Column("id", Id, primary_key=True),
    Column("person_id", Id, ForeignKey("people.id"), nullable=False, index=True),
    Column("channel", Word, nullable=False),
    Column("address", String(128), nullable=False, index=True),
    Column("verified_at", Instant),
    Column("opted_out_at", Instant),
    Column("unreachable_since", Instant),  # a carrier says that it cannot be reached: tried last, never dropped
    Column("unreachable_reason", String(64)),
    Column("unreachable_provider", String(32)),
    Column("whitelisted", Document),  # {vendor: since when the number stands on its white list}
    Column("card_saved_at", Instant),  # the person says: our numbers are saved on this phone
    Column("guide_done_at", Instant),  # the person says: this phone is set up as the guide asks
    UniqueConstraint("person_id", "channel", "address"),
)

shifts = Table(
    "shifts",
    metadata,
    Column("id", Id, primary_key=True),
    Column("role", Word, nullable=False),
    Column("person_id", Id, ForeignKey("people.id"), nullable=False, index=True),
    Column("grid_id", Id, ForeignKey("grids.id"), index=True),
    Column("place_id", Id, ForeignKey("places.id"), index=True),
    Column("starts_at", Instant),
    Column("ends_at", Instant),
    Column("rank", Integer, nullable=False, default=0),
    Column("version", Integer, nullable=False, default=1),
)

devices = Table(
    "devices",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("kind", String(32), nullable=False),
    Column("codec", String(64), nullable=False),
    Column("place_id", Id, ForeignKey("places.id"), index=True),
    Column("state", Word, nullable=False),
    Column("test_mode_until", Instant),
    Column("supervision_window_s", Integer),
    Column("credential_hash", String(256)),
    Column("credential_revoked_at", Instant),
    Column("created_at", Instant, nullable=False),
    Column("model_id", Id, index=True),
    Column("parent_id", String(64), index=True),  # a charging station's port: the station
    Column("port", Integer),
    Column("label", String(16), unique=True, index=True),  # the opaque code on its QR label
    Column("out_of_service_until", Instant),
    Column("out_of_service_reason", String(200)),
    Column("replaced_by", String(64)),
    Column("gateway_id", String(64), index=True),  # the radio gateway through which it speaks
    Column("version", Integer, nullable=False, default=1),
)

device_seen = Table(
    "device_seen",
    metadata,
    Column("device_id", String(64), primary_key=True),
    Column("last_seen_at", Instant, nullable=False, index=True),
    Column("online", Integer, nullable=False, default=1),
    Column("values", Document),
    Column("values_at", Instant),  # of the values: a heartbeat leaves them as they are
)

quarantine = Table(
    "quarantine",
    metadata,
    Column("id", Sequence, primary_key=True, autoincrement=True),
    Column("topic", String(512), nullable=False),
    Column("device_key", String(64), nullable=False),
    Column("reason", Word, nullable=False),
    Column("detail", Text, nullable=False),
    Column("content_hash", String(64), nullable=False),
    Column("payload", LargeBinary, nullable=False),  # the first payload_kept_bytes_max only
    Column("count", Integer, nullable=False, default=1),
    Column("first_at", Instant, nullable=False),
    Column("last_at", Instant, nullable=False, index=True),
    UniqueConstraint("device_key", "reason", "content_hash"),
)

_for_everything = shifts.c.grid_id.is_(None) & shifts.c.place_id.is_(None)
Index(
    "ix_shifts_global",
    shifts.c.place_id,
    shifts.c.grid_id,
    sqlite_where=_for_everything,
    postgresql_where=_for_everything,
)
