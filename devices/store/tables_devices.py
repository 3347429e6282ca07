"""Tables beside the devices: models, identities under which senders know them, where they hung before. No query."""

from sqlalchemy import JSON, Column, ForeignKey, Integer, PrimaryKeyConstraint, String, Table
from sqlalchemy.dialects.postgresql import JSONB

from devices.store.types import Id, Instant, Sequence, Word, metadata

Words = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
"""A list of words; without any, SQL's own null, which an index and a condition can see."""

device_models = Table(
    "device_models",
    metadata,
    Column("id", Id, primary_key=True),
    Column("code", String(64), nullable=False, unique=True),
    Column("maker", String(64), nullable=False),
    Column("model", String(64), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("dialect", String(32), nullable=False),
    Column("codec", String(64), nullable=False),
    Column("supervision_window_s", Integer),
    Column("battery_type", String(32)),
    Column("ports", Integer, nullable=False, default=0),  # of a charging station
    Column("restores", Integer, nullable=False, default=1),  # it says by itself when all is well again
    Column("walk_test_s", Integer, nullable=False, default=180),
    Column("signal_dbm_min", Integer),
    Column("actions", Words),  # what its devices can be made to do; null: nothing
    Column("version", Integer, nullable=False, default=1),
)

device_identities = Table(
    "device_identities",
    metadata,
    Column("dialect", String(32), nullable=False),
    Column("external_id", String(64), nullable=False, index=True),  # looked up without a dialect: a scan names none
    Column("kind", Word, nullable=False),  # imei | dev_eui | serial | other
    Column("device_id", String(64), ForeignKey("devices.id"), nullable=False, index=True),
    PrimaryKeyConstraint("dialect", "external_id"),
)

device_placements = Table(
    "device_placements",
    metadata,
    Column("id", Sequence, primary_key=True, autoincrement=True),
    Column("device_id", String(64), ForeignKey("devices.id"), nullable=False, index=True),
    Column("place_id", Id, index=True),
    Column("from_at", Instant, nullable=False),
    Column("to_at", Instant),
    Column("reason", Word, nullable=False),  # placed | moved | replaced | removed
)
