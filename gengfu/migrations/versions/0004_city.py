"""The city: duty plans, models and identities of devices, households, walk tests, logins, the audit's chain."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
DOCUMENT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
SEQUENCE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
PATH = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute('ALTER TABLE places ALTER COLUMN path TYPE text COLLATE "C"')
    op.create_table(
        "audit",
        sa.Column("id", SEQUENCE, autoincrement=False, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("actor_id", sa.String(length=64), nullable=False),
        sa.Column("actor", sa.String(length=64), nullable=False),
        sa.Column("via", sa.String(length=32), nullable=False),
        sa.Column("act", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("object_id", sa.String(length=128), nullable=False),
        sa.Column("path", PATH, nullable=True),
        sa.Column("detail", DOCUMENT, nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    op.create_index(op.f("ix_audit_object_id"), "audit", ["object_id"], unique=False)
    op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("last_id", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_head")),
    )
    op.create_table(
        "device_models",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("maker", sa.String(length=64), nullable=False),
        sa.Column("model", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("dialect", sa.String(length=32), nullable=False),
        sa.Column("codec", sa.String(length=64), nullable=False),
        sa.Column("supervision_window_s", sa.Integer(), nullable=True),
        sa.Column("battery_type", sa.String(length=32), nullable=True),
        sa.Column("ports", sa.Integer(), nullable=False),
        sa.Column("restores", sa.Integer(), nullable=False),
        sa.Column("walk_test_s", sa.Integer(), nullable=False),
        sa.Column("signal_dbm_min", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_device_models")),
        sa.UniqueConstraint("code", name=op.f("uq_device_models_code")),
    )
    op.create_table(
        "organisations",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("name_en", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organisations")),
        sa.UniqueConstraint("code", name=op.f("uq_organisations_code")),
    )
    op.create_table(
        "users",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("login", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("password_hash", sa.String(length=256), nullable=False),
        sa.Column("person_id", sa.String(length=36), nullable=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("disabled_at", INSTANT, nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("login", name=op.f("uq_users_login")),
    )
    op.create_table(
        "compounds",
        sa.Column("place_id", sa.String(length=36), nullable=False),
        sa.Column("type", sa.String(length=32), nullable=True),
        sa.Column("property_company_id", sa.String(length=36), nullable=True),
        sa.Column("committee", sa.String(length=32), nullable=False),
        sa.Column("supervising_unit_id", sa.String(length=36), nullable=True),
        sa.Column("partner_unit_id", sa.String(length=36), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["partner_unit_id"], ["organisations.id"], name=op.f("fk_compounds_partner_unit_id")),
        sa.ForeignKeyConstraint(["place_id"], ["places.id"], name=op.f("fk_compounds_place_id")),
        sa.ForeignKeyConstraint(
            ["property_company_id"], ["organisations.id"], name=op.f("fk_compounds_property_company_id")
        ),
        sa.ForeignKeyConstraint(
            ["supervising_unit_id"], ["organisations.id"], name=op.f("fk_compounds_supervising_unit_id")
        ),
        sa.PrimaryKeyConstraint("place_id", name=op.f("pk_compounds")),
    )
    op.create_index(op.f("ix_compounds_property_company_id"), "compounds", ["property_company_id"], unique=False)
    op.create_table(
        "flats",
        sa.Column("place_id", sa.String(length=36), nullable=False),
        sa.Column("status", sa.String(length=32), nullable=False),
        sa.Column("visited_at", INSTANT, nullable=False),
        sa.Column("visited_by", sa.String(length=64), nullable=False),
        sa.Column("note", sa.String(length=200), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["place_id"], ["places.id"], name=op.f("fk_flats_place_id")),
        sa.PrimaryKeyConstraint("place_id", name=op.f("pk_flats")),
    )
    op.create_table(
        "households",
        sa.Column("person_id", sa.String(length=36), nullable=False),
        sa.Column("place_id", sa.String(length=36), nullable=False),
        sa.Column("relation", sa.String(length=32), nullable=False),
        sa.Column("needs_help_leaving", sa.Integer(), nullable=False),
        sa.Column("consent_at", INSTANT, nullable=True),
        sa.Column("consent_until", INSTANT, nullable=True),
        sa.Column("consent_how", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_households_person_id")),
        sa.ForeignKeyConstraint(["place_id"], ["places.id"], name=op.f("fk_households_place_id")),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_households")),
    )
    op.create_index(op.f("ix_households_place_id"), "households", ["place_id"], unique=False)
    op.create_table(
        "leaves",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("person_id", sa.String(length=36), nullable=False),
        sa.Column("starts_at", INSTANT, nullable=False),
        sa.Column("ends_at", INSTANT, nullable=False),
        sa.Column("note", sa.String(length=200), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_leaves_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_leaves")),
    )
    op.create_index(op.f("ix_leaves_ends_at"), "leaves", ["ends_at"], unique=False)
    op.create_index(op.f("ix_leaves_person_id"), "leaves", ["person_id"], unique=False)
    op.create_table(
        "place_pictures",
        sa.Column("place_id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("media_type", sa.String(length=32), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("taken_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["place_id"], ["places.id"], name=op.f("fk_place_pictures_place_id")),
        sa.PrimaryKeyConstraint("place_id", "kind", name=op.f("pk_place_pictures")),
    )
    op.create_table(
        "sessions",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("last_seen_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_sessions_user_id")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_sessions")),
    )
    op.create_index(op.f("ix_sessions_expires_at"), "sessions", ["expires_at"], unique=False)
    op.create_index(op.f("ix_sessions_user_id"), "sessions", ["user_id"], unique=False)
    op.create_table(
        "user_grants",
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.Column("role", sa.String(length=32), nullable=False),
        sa.Column("place_id", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_user_grants_user_id")),
        sa.PrimaryKeyConstraint("user_id", "role", "place_id", name=op.f("pk_user_grants")),
    )
    op.create_table(
        "device_identities",
        sa.Column("dialect", sa.String(length=32), nullable=False),
        sa.Column("external_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("device_id", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["device_id"], ["devices.id"], name=op.f("fk_device_identities_device_id")),
        sa.PrimaryKeyConstraint("dialect", "external_id", name=op.f("pk_device_identities")),
    )
    op.create_index(op.f("ix_device_identities_device_id"), "device_identities", ["device_id"], unique=False)
    op.create_table(
        "device_placements",
        sa.Column("id", SEQUENCE, autoincrement=True, nullable=False),
        sa.Column("device_id", sa.String(length=64), nullable=False),
        sa.Column("place_id", sa.String(length=36), nullable=True),
        sa.Column("from_at", INSTANT, nullable=False),
        sa.Column("to_at", INSTANT, nullable=True),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["device_id"], ["devices.id"], name=op.f("fk_device_placements_device_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_device_placements")),
    )
    op.create_index(op.f("ix_device_placements_device_id"), "device_placements", ["device_id"], unique=False)
    op.create_index(op.f("ix_device_placements_place_id"), "device_placements", ["place_id"], unique=False)
    op.create_table(
        "grid_members",
        sa.Column("grid_id", sa.String(length=36), nullable=False),
        sa.Column("person_id", sa.String(length=36), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["grid_id"], ["grids.id"], name=op.f("fk_grid_members_grid_id")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_grid_members_person_id")),
        sa.PrimaryKeyConstraint("grid_id", "person_id", name=op.f("pk_grid_members")),
    )
    op.create_index(op.f("ix_grid_members_person_id"), "grid_members", ["person_id"], unique=False)
    op.create_table(
        "grid_neighbours",
        sa.Column("grid_id", sa.String(length=36), nullable=False),
        sa.Column("neighbour_id", sa.String(length=36), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["grid_id"], ["grids.id"], name=op.f("fk_grid_neighbours_grid_id")),
        sa.ForeignKeyConstraint(["neighbour_id"], ["grids.id"], name=op.f("fk_grid_neighbours_neighbour_id")),
        sa.PrimaryKeyConstraint("grid_id", "neighbour_id", name=op.f("pk_grid_neighbours")),
    )
    op.create_table(
        "overrides",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("role", sa.String(length=32), nullable=False),
        sa.Column("grid_id", sa.String(length=36), nullable=True),
        sa.Column("place_id", sa.String(length=36), nullable=True),
        sa.Column("person_id", sa.String(length=36), nullable=False),
        sa.Column("replaces_id", sa.String(length=36), nullable=True),
        sa.Column("starts_at", INSTANT, nullable=False),
        sa.Column("ends_at", INSTANT, nullable=False),
        sa.Column("note", sa.String(length=200), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["grid_id"], ["grids.id"], name=op.f("fk_overrides_grid_id")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_overrides_person_id")),
        sa.ForeignKeyConstraint(["place_id"], ["places.id"], name=op.f("fk_overrides_place_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_overrides")),
    )
    op.create_index(op.f("ix_overrides_ends_at"), "overrides", ["ends_at"], unique=False)
    op.create_index(op.f("ix_overrides_grid_id"), "overrides", ["grid_id"], unique=False)
    op.create_index(op.f("ix_overrides_person_id"), "overrides", ["person_id"], unique=False)
    op.create_index(op.f("ix_overrides_place_id"), "overrides", ["place_id"], unique=False)
    op.create_table(
        "patterns",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("grid_id", sa.String(length=36), nullable=True),
        sa.Column("place_id", sa.String(length=36), nullable=True),
        sa.Column("timezone", sa.String(length=64), nullable=False),
        sa.Column("first_day", sa.String(length=10), nullable=False),
        sa.Column("last_day", sa.String(length=10), nullable=True),
        sa.Column("cycle_days", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["grid_id"], ["grids.id"], name=op.f("fk_patterns_grid_id")),
        sa.ForeignKeyConstraint(["place_id"], ["places.id"], name=op.f("fk_patterns_place_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_patterns")),
    )
    op.create_index(op.f("ix_patterns_grid_id"), "patterns", ["grid_id"], unique=False)
    op.create_index(op.f("ix_patterns_place_id"), "patterns", ["place_id"], unique=False)
    op.create_table(
        "pattern_slots",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("pattern_id", sa.String(length=36), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("from_minute", sa.Integer(), nullable=False),
        sa.Column("to_minute", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(length=32), nullable=False),
        sa.Column("person_id", sa.String(length=36), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["pattern_id"], ["patterns.id"], name=op.f("fk_pattern_slots_pattern_id")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_pattern_slots_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pattern_slots")),
    )
    op.create_index(op.f("ix_pattern_slots_pattern_id"), "pattern_slots", ["pattern_id"], unique=False)
    op.create_index(op.f("ix_pattern_slots_person_id"), "pattern_slots", ["person_id"], unique=False)
    op.add_column("api_keys", sa.Column("place_id", sa.String(length=36), nullable=True))
    op.add_column("devices", sa.Column("model_id", sa.String(length=36), nullable=True))
    op.add_column("devices", sa.Column("parent_id", sa.String(length=64), nullable=True))
    op.add_column("devices", sa.Column("port", sa.Integer(), nullable=True))
    op.add_column("devices", sa.Column("label", sa.String(length=16), nullable=True))
    op.add_column("devices", sa.Column("out_of_service_until", INSTANT, nullable=True))
    op.add_column("devices", sa.Column("out_of_service_reason", sa.String(length=200), nullable=True))
    op.add_column("devices", sa.Column("replaced_by", sa.String(length=64), nullable=True))
    op.create_index(op.f("ix_devices_label"), "devices", ["label"], unique=True)
    op.create_index(op.f("ix_devices_model_id"), "devices", ["model_id"], unique=False)
    op.create_index(op.f("ix_devices_parent_id"), "devices", ["parent_id"], unique=False)
    op.add_column("grids", sa.Column("night_from", sa.Integer(), nullable=True))
    op.add_column("grids", sa.Column("night_to", sa.Integer(), nullable=True))
    op.add_column("people", sa.Column("place_id", sa.String(length=36), nullable=True))
    op.add_column("people", sa.Column("hours_from", sa.Integer(), nullable=True))
    op.add_column("people", sa.Column("hours_to", sa.Integer(), nullable=True))
    op.add_column("people", sa.Column("night_calls_consent_at", INSTANT, nullable=True))
    op.create_index(op.f("ix_people_place_id"), "people", ["place_id"], unique=False)
    op.create_index(op.f("ix_places_path"), "places", ["path"], unique=False)
