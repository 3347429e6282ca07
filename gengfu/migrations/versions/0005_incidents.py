"""Incidents that escalate until a person answers: what people raise, drills, commands, restraint, instants."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
DOCUMENT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
SEQUENCE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
PATH = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "building_pages",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("building_id", sa.String(length=36), nullable=False),
        sa.Column("recipient_id", sa.String(length=36), nullable=False),
        sa.Column("channel", sa.String(length=32), nullable=False),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_building_pages")),
    )
    op.create_index("ix_building_pages_recent", "building_pages", ["building_id", "at"], unique=False)
    op.create_table(
        "canary",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("every_s", sa.Float(), nullable=False),
        sa.Column("looked_at", INSTANT, nullable=True),
        sa.Column("misses", sa.Integer(), nullable=False),
        sa.Column("token", sa.String(length=16), nullable=True),
        sa.Column("sent_at", INSTANT, nullable=True),
        sa.Column("committed_at", INSTANT, nullable=True),
        sa.Column("taken_token", sa.String(length=16), nullable=True),
        sa.Column("heard_token", sa.String(length=16), nullable=True),
        sa.Column("heard_at", INSTANT, nullable=True),
        sa.Column("seconds", sa.Float(), nullable=True),
        sa.Column("violations", sa.Integer(), nullable=False),
        sa.Column("violated_at", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_canary")),
    )
    op.create_table(
        "clock_jumps",
        sa.Column("id", SEQUENCE, autoincrement=True, nullable=False),
        sa.Column("boot", SEQUENCE, nullable=False),
        sa.Column("noticed_at", INSTANT, nullable=False),
        sa.Column("by_ms", SEQUENCE, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clock_jumps")),
    )
    op.create_index(op.f("ix_clock_jumps_noticed_at"), "clock_jumps", ["noticed_at"], unique=False)
    op.create_table(
        "commands",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("key", sa.String(length=192), nullable=True),
        sa.Column("incident_id", sa.String(length=36), nullable=True),
        sa.Column("device_id", sa.String(length=64), nullable=False),
        sa.Column("action", sa.String(length=32), nullable=False),
        sa.Column("args", DOCUMENT, nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=True),
        sa.Column("values", DOCUMENT, nullable=True),
        sa.Column("asked_by", sa.String(length=64), nullable=False),
        sa.Column("asked_by_name", sa.String(length=64), nullable=False),
        sa.Column("asked_why", sa.String(length=200), nullable=True),
        sa.Column("planned_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("due_at", INSTANT, nullable=True),
        sa.Column("sends", sa.Integer(), nullable=False),
        sa.Column("sent_at", INSTANT, nullable=True),
        sa.Column("answered_at", INSTANT, nullable=True),
        sa.Column("audited_at", INSTANT, nullable=True),
        sa.Column("told", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_commands")),
        sa.UniqueConstraint("key", name=op.f("uq_commands_key")),
    )
    op.create_index(op.f("ix_commands_device_id"), "commands", ["device_id"], unique=False)
    op.create_index(
        "ix_commands_due",
        "commands",
        ["due_at"],
        unique=False,
        sqlite_where=sa.text("due_at IS NOT NULL"),
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_index(op.f("ix_commands_incident_id"), "commands", ["incident_id"], unique=False)
    op.create_index(
        "ix_commands_unaudited",
        "commands",
        ["id"],
        unique=False,
        sqlite_where=sa.text("audited_at IS NULL"),
        postgresql_where=sa.text("audited_at IS NULL"),
    )
    op.create_table(
        "device_actions",
        sa.Column("device_id", sa.String(length=64), nullable=False),
        sa.Column("action", sa.String(length=32), nullable=False),
        sa.Column("declared", sa.Boolean(), nullable=False),
        sa.Column("permitted", sa.Boolean(), nullable=False),
        sa.Column("permitted_by", sa.String(length=64), nullable=True),
        sa.Column("permitted_at", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("device_id", "action", name=op.f("pk_device_actions")),
    )
    op.create_table(
        "digests",
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("grid_id", sa.String(length=36), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("messages", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("day", "grid_id", name=op.f("pk_digests")),
    )
    op.create_table(
        "drills",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("incident_id", sa.String(length=36), nullable=False),
        sa.Column("grid_id", sa.String(length=36), nullable=False),
        sa.Column("place_id", sa.String(length=36), nullable=False),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("started_at", INSTANT, nullable=False),
        sa.Column("ends_at", INSTANT, nullable=False),
        sa.Column("started_by", sa.String(length=64), nullable=False),
        sa.Column("started_by_name", sa.String(length=64), nullable=False),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.Column("end_reason", sa.String(length=32), nullable=True),
        sa.Column("ended_by", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_drills")),
        sa.UniqueConstraint("incident_id", name=op.f("uq_drills_incident_id")),
    )
    op.create_index(op.f("ix_drills_grid_id"), "drills", ["grid_id"], unique=False)
    op.create_index(
        "uq_drills_running_grid",
        "drills",
        ["grid_id"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "folded_pages",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("recipient_id", sa.String(length=36), nullable=False),
        sa.Column("building_id", sa.String(length=36), nullable=False),
        sa.Column("channel", sa.String(length=32), nullable=False),
        sa.Column("incident_id", sa.String(length=36), nullable=False),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("place_text", DOCUMENT, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("told_at", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_folded_pages")),
    )
    op.create_index(op.f("ix_folded_pages_incident_id"), "folded_pages", ["incident_id"], unique=False)
    op.create_index(
        "ix_folded_pages_untold",
        "folded_pages",
        ["recipient_id", "building_id", "channel"],
        unique=False,
        sqlite_where=sa.text("told_at IS NULL"),
        postgresql_where=sa.text("told_at IS NULL"),
    )
    op.create_table(
        "listening",
        sa.Column("boot", SEQUENCE, autoincrement=False, nullable=False),
        sa.Column("since", INSTANT, nullable=False),
        sa.Column("until", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("boot", name=op.f("pk_listening")),
    )
    op.create_table(
        "maintenance_windows",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("place_id", sa.String(length=36), nullable=True),
        sa.Column("device_id", sa.String(length=64), nullable=True),
        sa.Column("starts_at", INSTANT, nullable=False),
        sa.Column("ends_at", INSTANT, nullable=False),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("made_by", sa.String(length=64), nullable=False),
        sa.Column("made_by_name", sa.String(length=64), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_maintenance_windows")),
    )
    op.create_index(op.f("ix_maintenance_windows_ends_at"), "maintenance_windows", ["ends_at"], unique=False)
    op.create_table(
        "summaries",
        sa.Column("recipient_id", sa.String(length=36), nullable=False),
        sa.Column("building_id", sa.String(length=36), nullable=False),
        sa.Column("channel", sa.String(length=32), nullable=False),
        sa.Column("due_at", INSTANT, nullable=True),
        sa.Column("planned_at", INSTANT, nullable=True),
        sa.Column("not_before", INSTANT, nullable=True),
        sa.Column("last_at", INSTANT, nullable=True),
        sa.Column("last_incident_id", sa.String(length=36), nullable=True),
        sa.Column("last_step", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("recipient_id", "building_id", "channel", name=op.f("pk_summaries")),
    )
    op.create_index(
        "ix_summaries_due",
        "summaries",
        ["due_at"],
        unique=False,
        sqlite_where=sa.text("due_at IS NOT NULL"),
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_table(
        "supervision",
        sa.Column("device_id", sa.String(length=64), nullable=False),
        sa.Column("window_s", sa.Integer(), nullable=False),
        sa.Column("since", INSTANT, nullable=False),
        sa.Column("look_at", INSTANT, nullable=False),
        sa.Column("offline_since", INSTANT, nullable=True),
        sa.Column("behind", sa.String(length=64), nullable=True),
        sa.Column("incident_id", sa.String(length=36), nullable=True),
        sa.PrimaryKeyConstraint("device_id", name=op.f("pk_supervision")),
    )
    op.create_index(op.f("ix_supervision_look_at"), "supervision", ["look_at"], unique=False)
    op.create_index(
        "ix_supervision_offline",
        "supervision",
        ["offline_since"],
        unique=False,
        sqlite_where=sa.text("offline_since IS NOT NULL"),
        postgresql_where=sa.text("offline_since IS NOT NULL"),
    )
    op.create_table(
        "withheld_pages",
        sa.Column("incident_id", sa.String(length=36), nullable=False),
        sa.Column("due_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("incident_id", name=op.f("pk_withheld_pages")),
    )
    op.create_index(op.f("ix_withheld_pages_due_at"), "withheld_pages", ["due_at"], unique=False)
    op.create_table(
        "incident_photos",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("incident_id", sa.String(length=36), nullable=False),
        sa.Column("media_type", sa.String(length=32), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("taken_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["incident_id"], ["incidents.id"], name=op.f("fk_incident_photos_incident_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident_photos")),
        sa.UniqueConstraint("incident_id", "sha256", name=op.f("uq_incident_photos_incident_id_sha256")),
    )
    op.create_table(
        "incident_results",
        sa.Column("incident_id", sa.String(length=36), nullable=False),
        sa.Column("recipient_id", sa.String(length=36), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=True),
        sa.Column("told_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("satisfied", sa.Integer(), nullable=True),
        sa.Column("answered_at", INSTANT, nullable=True),
        sa.Column("answered_via", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(["incident_id"], ["incidents.id"], name=op.f("fk_incident_results_incident_id")),
        sa.PrimaryKeyConstraint("incident_id", "recipient_id", name=op.f("pk_incident_results")),
    )
    op.create_index("ix_incident_results_token_hash", "incident_results", ["token_hash"], unique=True)
    op.create_index(op.f("ix_incident_results_told_at"), "incident_results", ["told_at"], unique=False)
    op.add_column("attempts", sa.Column("delivered_at", INSTANT, nullable=True))
    op.add_column("attempts", sa.Column("observed_at", INSTANT, nullable=True))
    op.add_column("attempts", sa.Column("clock", sa.String(length=32), nullable=True))
    op.add_column("attempts", sa.Column("committed_at", INSTANT, nullable=True))
    op.create_index(
        "ix_attempts_forgotten",
        "attempts",
        ["incident_id"],
        unique=False,
        sqlite_where=sa.text("due_at IS NULL AND state IN ('planned', 'sending')"),
        postgresql_where=sa.text("due_at IS NULL AND state IN ('planned', 'sending')"),
    )
    op.add_column("device_models", sa.Column("actions", DOCUMENT, nullable=True))
    op.add_column("device_seen", sa.Column("values_at", INSTANT, nullable=True))
    op.add_column("devices", sa.Column("gateway_id", sa.String(length=64), nullable=True))
    op.create_index(op.f("ix_devices_gateway_id"), "devices", ["gateway_id"], unique=False)
    op.add_column("households", sa.Column("result_messages", sa.Integer(), nullable=True))
    op.add_column("incidents", sa.Column("due_set_at", INSTANT, nullable=True))
    op.add_column("incidents", sa.Column("evaluated", DOCUMENT, nullable=True))
    op.add_column("incidents", sa.Column("raised_by", sa.String(length=64), nullable=True))
    op.add_column("incidents", sa.Column("raised_via", sa.String(length=32), nullable=True))
    op.add_column("incidents", sa.Column("linked_to", sa.String(length=36), nullable=True))
    op.add_column("incidents", sa.Column("drill_id", sa.String(length=36), nullable=True))
    op.add_column("incidents", sa.Column("shelved_until", INSTANT, nullable=True))
    op.add_column("incidents", sa.Column("acknowledged_until", INSTANT, nullable=True))
    op.create_index(
        "ix_incidents_acknowledged_until",
        "incidents",
        ["acknowledged_until"],
        unique=False,
        sqlite_where=sa.text("closed_at IS NULL AND acknowledged_until IS NOT NULL"),
        postgresql_where=sa.text("closed_at IS NULL AND acknowledged_until IS NOT NULL"),
    )
    op.create_index(
        "ix_incidents_open_drills",
        "incidents",
        ["drill_id"],
        unique=False,
        sqlite_where=sa.text("closed_at IS NULL AND drill_id IS NOT NULL"),
        postgresql_where=sa.text("closed_at IS NULL AND drill_id IS NOT NULL"),
    )
    op.create_index(
        "ix_incidents_place_open",
        "incidents",
        ["place_id"],
        unique=False,
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_index(
        "ix_incidents_shelved_until",
        "incidents",
        ["shelved_until"],
        unique=False,
        sqlite_where=sa.text("closed_at IS NULL AND shelved_until IS NOT NULL"),
        postgresql_where=sa.text("closed_at IS NULL AND shelved_until IS NOT NULL"),
    )
