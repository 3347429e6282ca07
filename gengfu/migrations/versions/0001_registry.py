"""The registry: places, grids, people, duty, devices."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
DOCUMENT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
SEQUENCE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
REWRITTEN = ("device_seen",)
"""Rows of these change again and again: room on their pages, and an early vacuum."""


def upgrade() -> None:
    _places()
    _grids()
    _grid_places()
    _people()
    _contact_points()
    _shifts()
    _devices()
    _device_seen()
    _quarantine()
    if op.get_bind().dialect.name == "postgresql":
        _tune_postgresql()


def _tune_postgresql() -> None:
    early = "autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02"
    for table in REWRITTEN:
        op.execute(f"ALTER TABLE {table} SET (fillfactor = 70, {early})")


def _places() -> None:
    op.create_table(
        "places",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("parent_id", sa.String(length=36)),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("code", sa.String(length=64)),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("name_en", sa.String(length=32), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("lat", sa.Float()),
        sa.Column("lon", sa.Float()),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["parent_id"], ["places.id"], name="fk_places_parent_id"),
        sa.PrimaryKeyConstraint("id", name="pk_places"),
        sa.UniqueConstraint("code", name="uq_places_code"),
    )
    op.create_index("ix_places_parent_id", "places", ["parent_id"])


def _grids() -> None:
    op.create_table(
        "grids",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("name_en", sa.String(length=32), nullable=False),
        sa.Column("community_id", sa.String(length=36)),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["community_id"], ["places.id"], name="fk_grids_community_id"),
        sa.PrimaryKeyConstraint("id", name="pk_grids"),
        sa.UniqueConstraint("code", name="uq_grids_code"),
    )


def _grid_places() -> None:
    op.create_table(
        "grid_places",
        sa.Column("place_id", sa.String(length=36), nullable=False),
        sa.Column("grid_id", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(["grid_id"], ["grids.id"], name="fk_grid_places_grid_id"),
        sa.ForeignKeyConstraint(["place_id"], ["places.id"], name="fk_grid_places_place_id"),
        sa.PrimaryKeyConstraint("place_id", name="pk_grid_places"),
    )
    op.create_index("ix_grid_places_grid_id", "grid_places", ["grid_id"])


def _people() -> None:
    op.create_table(
        "people",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("name_en", sa.String(length=64), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("left_at", INSTANT),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_people"),
        sa.UniqueConstraint("code", name="uq_people_code"),
    )


def _contact_points() -> None:
    op.create_table(
        "contact_points",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("person_id", sa.String(length=36), nullable=False),
        sa.Column("channel", sa.String(length=32), nullable=False),
        sa.Column("address", sa.String(length=128), nullable=False),
        sa.Column("verified_at", INSTANT),
        sa.Column("opted_out_at", INSTANT),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name="fk_contact_points_person_id"),
        sa.PrimaryKeyConstraint("id", name="pk_contact_points"),
        sa.UniqueConstraint("person_id", "channel", "address", name="uq_contact_points_person_id_channel_address"),
    )
    op.create_index("ix_contact_points_address", "contact_points", ["address"])
    op.create_index("ix_contact_points_person_id", "contact_points", ["person_id"])


def _shifts() -> None:
    op.create_table(
        "shifts",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("role", sa.String(length=32), nullable=False),
        sa.Column("person_id", sa.String(length=36), nullable=False),
        sa.Column("grid_id", sa.String(length=36)),
        sa.Column("place_id", sa.String(length=36)),
        sa.Column("starts_at", INSTANT),
        sa.Column("ends_at", INSTANT),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["grid_id"], ["grids.id"], name="fk_shifts_grid_id"),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name="fk_shifts_person_id"),
        sa.ForeignKeyConstraint(["place_id"], ["places.id"], name="fk_shifts_place_id"),
        sa.PrimaryKeyConstraint("id", name="pk_shifts"),
    )
    op.create_index(
        "ix_shifts_global",
        "shifts",
        ["place_id", "grid_id"],
        sqlite_where=sa.text("grid_id IS NULL AND place_id IS NULL"),
        postgresql_where=sa.text("grid_id IS NULL AND place_id IS NULL"),
    )
    op.create_index("ix_shifts_grid_id", "shifts", ["grid_id"])
    op.create_index("ix_shifts_person_id", "shifts", ["person_id"])
    op.create_index("ix_shifts_place_id", "shifts", ["place_id"])


def _devices() -> None:
    op.create_table(
        "devices",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("codec", sa.String(length=64), nullable=False),
        sa.Column("place_id", sa.String(length=36)),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("test_mode_until", INSTANT),
        sa.Column("supervision_window_s", sa.Integer()),
        sa.Column("credential_hash", sa.String(length=256)),
        sa.Column("credential_revoked_at", INSTANT),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["place_id"], ["places.id"], name="fk_devices_place_id"),
        sa.PrimaryKeyConstraint("id", name="pk_devices"),
    )
    op.create_index("ix_devices_place_id", "devices", ["place_id"])


def _device_seen() -> None:
    op.create_table(
        "device_seen",
        sa.Column("device_id", sa.String(length=64), nullable=False),
        sa.Column("last_seen_at", INSTANT, nullable=False),
        sa.Column("online", sa.Integer(), nullable=False),
        sa.Column("values", DOCUMENT),
        sa.PrimaryKeyConstraint("device_id", name="pk_device_seen"),
    )
    op.create_index("ix_device_seen_last_seen_at", "device_seen", ["last_seen_at"])


def _quarantine() -> None:
    op.create_table(
        "quarantine",
        sa.Column("id", SEQUENCE, autoincrement=True, nullable=False),
        sa.Column("topic", sa.String(length=512), nullable=False),
        sa.Column("device_key", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("first_at", INSTANT, nullable=False),
        sa.Column("last_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_quarantine"),
        sa.UniqueConstraint(
            "device_key", "reason", "content_hash", name="uq_quarantine_device_key_reason_content_hash"
        ),
    )
    op.create_index("ix_quarantine_last_at", "quarantine", ["last_at"])
