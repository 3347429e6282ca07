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
APPEND_ONLY = {
    "sqlite": (
        "CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END",
        "CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END",
    ),
    "postgresql": (
        "CREATE OR REPLACE FUNCTION audit_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'the audit is append-only'; END $$",
        "CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only()",
    ),
}
COUNTING = {
    "sqlite": (
        "INSERT INTO registry_generation (id, n) VALUES (1, 0)",
        "CREATE TRIGGER counted_places_insert AFTER INSERT ON places BEGIN UPDATE registry_generation SET n = n + 1 WHERE id = 1; END",
        "CREATE TRIGGER counted_places_update AFTER UPDATE ON places BEGIN UPDATE registry_generation SET n = n + 1 WHERE id = 1; END",
        "CREATE TRIGGER counted_places_delete AFTER DELETE ON places BEGIN UPDATE registry_generation SET n = n + 1 WHERE id = 1; END",
        "CREATE TRIGGER counted_grids_insert AFTER INSERT ON grids BEGIN UPDATE registry_generation SET n = n + 1 WHERE id = 1; END",
        "CREATE TRIGGER counted_grids_update AFTER UPDATE ON grids BEGIN UPDATE registry_generation SET n = n + 1 WHERE id = 1; END",
        "CREATE TRIGGER counted_grids_delete AFTER DELETE ON grids BEGIN UPDATE registry_generation SET n = n + 1 WHERE id = 1; END",
        "CREATE TRIGGER counted_grid_places_insert AFTER INSERT ON grid_places BEGIN UPDATE registry_generation SET n = n + 1 WHERE id = 1; END",
        "CREATE TRIGGER counted_grid_places_update AFTER UPDATE ON grid_places BEGIN UPDATE registry_generation SET n = n + 1 WHERE id = 1; END",
        "CREATE TRIGGER counted_grid_places_delete AFTER DELETE ON grid_places BEGIN UPDATE registry_generation SET n = n + 1 WHERE id = 1; END",
        "CREATE TRIGGER counted_people_insert AFTER INSERT ON people BEGIN UPDATE registry_generation SET n = n + 1 WHERE id = 1; END",
        "CREATE TRIGGER counted_people_update AFTER UPDATE ON people BEGIN UPDATE registry_generation SET n = n + 1 WHERE id = 1; END",
        "CREATE TRIGGER counted_people_delete AFTER DELETE ON people BEGIN UPDATE registry_generation SET n = n + 1 WHERE id = 1; END",
        "CREATE TRIGGER counted_contact_points_insert AFTER INSERT ON contact_points BEGIN UPDATE registry_generation SET n = n + 1 WHERE id = 1; END",
        "CREATE TRIGGER counted_contact_points_update AFTER UPDATE ON contact_points BEGIN UPDATE registry_generation SET n = n + 1 WHERE id = 1; END",
        "CREATE TRIGGER counted_contact_points_delete AFTER DELETE ON contact_points BEGIN UPDATE registry_generation SET n = n + 1 WHERE id = 1; END",
        "CREATE TRIGGER counted_shifts_insert AFTER INSERT ON shifts BEGIN UPDATE registry_generation SET n = n + 1 WHERE id = 1; END",
        "CREATE TRIGGER counted_shifts_update AFTER UPDATE ON shifts BEGIN UPDATE registry_generation SET n = n + 1 WHERE id = 1; END",
        "CREATE TRIGGER counted_shifts_delete AFTER DELETE ON shifts BEGIN UPDATE registry_generation SET n = n + 1 WHERE id = 1; END",
        "CREATE TRIGGER counted_grid_members_insert AFTER INSERT ON grid_members BEGIN UPDATE registry_generation SET n = n + 1 WHERE id = 1; END",
        "CREATE TRIGGER counted_grid_members_update AFTER UPDATE ON grid_members BEGIN UPDATE registry_generation SET n = n + 1 WHERE id = 1; END",
        "CREATE TRIGGER counted_grid_members_delete AFTER DELETE ON grid_members BEGIN UPDATE registry_generation SET n = n + 1 WHERE id = 1; END",
        "CREATE TRIGGER counted_grid_neighbours_insert AFTER INSERT ON grid_neighbours BEGIN UPDATE registry_generation SET n = n + 1 WHERE id = 1; END",
        "CREATE TRIGGER counted_grid_neighbours_update AFTER UPDATE ON grid_neighbours BEGIN UPDATE registry_generation SET n = n + 1 WHERE id = 1; END",
        "CREATE TRIGGER counted_grid_neighbours_delete AFTER DELETE ON grid_neighbours BEGIN UPDATE registry_generation SET n = n + 1 WHERE id = 1; END",
        "CREATE TRIGGER counted_patterns_insert AFTER INSERT ON patterns BEGIN UPDATE registry_generation SET n = n + 1 WHERE id = 1; END",
        "CREATE TRIGGER counted_patterns_update AFTER UPDATE ON patterns BEGIN UPDATE registry_generation SET n = n + 1 WHERE id = 1; END",
        "CREATE TRIGGER counted_patterns_delete AFTER DELETE ON patterns BEGIN UPDATE registry_generation SET n = n + 1 WHERE id = 1; END",
        "CREATE TRIGGER counted_pattern_slots_insert AFTER INSERT ON pattern_slots BEGIN UPDATE registry_generation SET n = n + 1 WHERE id = 1; END",
        "CREATE TRIGGER counted_pattern_slots_update AFTER UPDATE ON pattern_slots BEGIN UPDATE registry_generation SET n = n + 1 WHERE id = 1; END",
        "CREATE TRIGGER counted_pattern_slots_delete AFTER DELETE ON pattern_slots BEGIN UPDATE registry_generation SET n = n + 1 WHERE id = 1; END",
        "CREATE TRIGGER counted_overrides_insert AFTER INSERT ON overrides BEGIN UPDATE registry_generation SET n = n + 1 WHERE id = 1; END",
        "CREATE TRIGGER counted_overrides_update AFTER UPDATE ON overrides BEGIN UPDATE registry_generation SET n = n + 1 WHERE id = 1; END",
        "CREATE TRIGGER counted_overrides_delete AFTER DELETE ON overrides BEGIN UPDATE registry_generation SET n = n + 1 WHERE id = 1; END",
        "CREATE TRIGGER counted_leaves_insert AFTER INSERT ON leaves BEGIN UPDATE registry_generation SET n = n + 1 WHERE id = 1; END",
        "CREATE TRIGGER counted_leaves_update AFTER UPDATE ON leaves BEGIN UPDATE registry_generation SET n = n + 1 WHERE id = 1; END",
        "CREATE TRIGGER counted_leaves_delete AFTER DELETE ON leaves BEGIN UPDATE registry_generation SET n = n + 1 WHERE id = 1; END",
    ),
    "postgresql": (),
}


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
    op.create_index("ix_audit_actor_id_at", "audit", ["actor_id", "at"], unique=False)
    op.create_index(op.f("ix_audit_object_id"), "audit", ["object_id"], unique=False)
    op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("last_id", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_head")),
    )
    op.create_table(
        "credential_changes",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credential_changes")),
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
        "held_alarms",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("reference", sa.String(length=8), nullable=False),
        sa.Column("device_id", sa.String(length=64), nullable=False),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("building_id", sa.String(length=36), nullable=False),
        sa.Column("room_id", sa.String(length=36), nullable=False),
        sa.Column("received_at", INSTANT, nullable=False),
        sa.Column("observed_at", INSTANT, nullable=True),
        sa.Column("due_at", INSTANT, nullable=False),
        sa.Column("settled_at", INSTANT, nullable=True),
        sa.Column("outcome", sa.String(length=32), nullable=True),
        sa.Column("incident_id", sa.String(length=36), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_held_alarms")),
    )
    op.create_index(
        "ix_held_alarms_due",
        "held_alarms",
        ["due_at"],
        unique=False,
        sqlite_where=sa.text("settled_at IS NULL"),
        postgresql_where=sa.text("settled_at IS NULL"),
    )
    op.create_index(
        "uq_held_alarms_waiting",
        "held_alarms",
        ["device_id", "code"],
        unique=True,
        sqlite_where=sa.text("settled_at IS NULL"),
        postgresql_where=sa.text("settled_at IS NULL"),
    )
    op.create_table(
        "imports",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.Column("actor_id", sa.String(length=64), nullable=False),
        sa.Column("actor", sa.String(length=64), nullable=False),
        sa.Column("via", sa.String(length=32), nullable=False),
        sa.Column("scope", DOCUMENT, nullable=True),
        sa.Column("name", sa.String(length=256), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("dry_run", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("written", sa.Integer(), nullable=False),
        sa.Column("op", sa.Integer(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=True),
        sa.Column("counts", DOCUMENT, nullable=False),
        sa.Column("faults", sa.Integer(), nullable=False),
        sa.Column("warnings", sa.Integer(), nullable=False),
        sa.Column("refusal", DOCUMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_imports")),
    )
    op.create_index(op.f("ix_imports_created_at"), "imports", ["created_at"], unique=False)
    op.create_index(op.f("ix_imports_state"), "imports", ["state"], unique=False)
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
        "probes",
        sa.Column("id", sa.String(length=13), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("contact_id", sa.String(length=36), nullable=True),
        sa.Column("walk_test_id", sa.String(length=36), nullable=True),
        sa.Column("person_id", sa.String(length=36), nullable=True),
        sa.Column("channel", sa.String(length=32), nullable=False),
        sa.Column("address", sa.String(length=128), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("sends", sa.Integer(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("due_at", INSTANT, nullable=True),
        sa.Column("send_before", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("lease_boot", SEQUENCE, nullable=True),
        sa.Column("provider_ref", sa.String(length=64), nullable=True),
        sa.Column("error", sa.String(length=64), nullable=True),
        sa.Column("confirmed_at", INSTANT, nullable=True),
        sa.Column("denied_at", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_probes")),
    )
    op.create_index(op.f("ix_probes_address"), "probes", ["address"], unique=False)
    op.create_index(op.f("ix_probes_contact_id"), "probes", ["contact_id"], unique=False)
    op.create_index(op.f("ix_probes_created_at"), "probes", ["created_at"], unique=False)
    op.create_index(
        "ix_probes_due",
        "probes",
        ["due_at"],
        unique=False,
        sqlite_where=sa.text("due_at IS NOT NULL"),
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_index(op.f("ix_probes_walk_test_id"), "probes", ["walk_test_id"], unique=False)
    op.create_table(
        "real_messages",
        sa.Column("compound_id", sa.String(length=36), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("walk_test_id", sa.String(length=36), nullable=False),
        sa.PrimaryKeyConstraint("compound_id", "day", name=op.f("pk_real_messages")),
    )
    op.create_index(op.f("ix_real_messages_walk_test_id"), "real_messages", ["walk_test_id"], unique=False)
    op.create_table(
        "registry_generation",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_registry_generation")),
    )
    op.create_table(
        "test_sessions",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("place_id", sa.String(length=36), nullable=True),
        sa.Column("started_at", INSTANT, nullable=False),
        sa.Column("ends_at", INSTANT, nullable=False),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.Column("started_by", sa.String(length=64), nullable=False),
        sa.Column("started_by_name", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_test_sessions")),
    )
    op.create_index(op.f("ix_test_sessions_ends_at"), "test_sessions", ["ends_at"], unique=False)
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
        sa.Column("changed_at", INSTANT, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("login", name=op.f("uq_users_login")),
    )
    op.create_index(op.f("ix_users_changed_at"), "users", ["changed_at"], unique=False)
    op.create_table(
        "walk_tests",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("device_id", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("started_at", INSTANT, nullable=False),
        sa.Column("ends_at", INSTANT, nullable=False),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.Column("started_by", sa.String(length=64), nullable=False),
        sa.Column("started_by_name", sa.String(length=64), nullable=False),
        sa.Column("limit_s", sa.Integer(), nullable=False),
        sa.Column("restores", sa.Boolean(), nullable=False),
        sa.Column("signal_dbm_min", sa.Integer(), nullable=True),
        sa.Column("alarm_at", INSTANT, nullable=True),
        sa.Column("alarm_code", sa.String(length=32), nullable=True),
        sa.Column("restored_at", INSTANT, nullable=True),
        sa.Column("signal_dbm", sa.Float(), nullable=True),
        sa.Column("signal_at", INSTANT, nullable=True),
        sa.Column("rehearsal", DOCUMENT, nullable=True),
        sa.Column("paged", sa.Boolean(), nullable=False),
        sa.Column("lacks", DOCUMENT, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_walk_tests")),
    )
    op.create_index(op.f("ix_walk_tests_device_id"), "walk_tests", ["device_id"], unique=False)
    op.create_index(
        "uq_walk_tests_running",
        "walk_tests",
        ["device_id"],
        unique=True,
        sqlite_where=sa.text("state = 'running'"),
        postgresql_where=sa.text("state = 'running'"),
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
        "import_faults",
        sa.Column("import_id", sa.String(length=36), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("warning", sa.Integer(), nullable=False),
        sa.Column("file", sa.String(length=256), nullable=False),
        sa.Column("sheet", sa.String(length=64), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("cell_column", sa.Integer(), nullable=True),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("names", DOCUMENT, nullable=False),
        sa.Column("near", sa.String(length=256), nullable=True),
        sa.ForeignKeyConstraint(["import_id"], ["imports.id"], name=op.f("fk_import_faults_import_id")),
        sa.PrimaryKeyConstraint("import_id", "number", name=op.f("pk_import_faults")),
    )
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
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_sessions_user_id")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_sessions")),
    )
    op.create_index(op.f("ix_sessions_ended_at"), "sessions", ["ended_at"], unique=False)
    op.create_index(op.f("ix_sessions_expires_at"), "sessions", ["expires_at"], unique=False)
    op.create_index(op.f("ix_sessions_user_id"), "sessions", ["user_id"], unique=False)
    op.create_table(
        "test_session_devices",
        sa.Column("session_id", sa.String(length=36), nullable=False),
        sa.Column("device_id", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["session_id"], ["test_sessions.id"], name=op.f("fk_test_session_devices_session_id")),
        sa.PrimaryKeyConstraint("session_id", "device_id", name=op.f("pk_test_session_devices")),
    )
    op.create_index(op.f("ix_test_session_devices_device_id"), "test_session_devices", ["device_id"], unique=False)
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
    op.create_index(op.f("ix_device_identities_external_id"), "device_identities", ["external_id"], unique=False)
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
        sa.Column("pattern_id", sa.String(length=36), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("from_minute", sa.Integer(), nullable=False),
        sa.Column("to_minute", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(length=32), nullable=False),
        sa.Column("person_id", sa.String(length=36), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["pattern_id"], ["patterns.id"], name=op.f("fk_pattern_slots_pattern_id")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_pattern_slots_person_id")),
        sa.PrimaryKeyConstraint("pattern_id", "number", name=op.f("pk_pattern_slots")),
    )
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

    for statement in APPEND_ONLY[op.get_bind().dialect.name]:
        op.execute(statement)
    for statement in COUNTING[op.get_bind().dialect.name]:
        op.execute(statement)
