"""Incidents, notifications, attempts and what belongs to them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
DOCUMENT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
SEQUENCE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
REWRITTEN = ("incidents", "notifications", "attempts")
"""Rows of these change again and again: room on their pages, and an early vacuum."""


def upgrade() -> None:
    _events()
    _incidents()
    _incident_overlays()
    _timeline()
    _notifications()
    _attempts()
    _callbacks()
    _boots()
    _policies()
    if op.get_bind().dialect.name == "postgresql":
        _tune_postgresql()


def _tune_postgresql() -> None:
    early = "autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02"
    for table in REWRITTEN:
        op.execute(f"ALTER TABLE {table} SET (fillfactor = 70, {early})")


def _events() -> None:
    op.create_table(
        "events",
        sa.Column("device_id", sa.String(length=64), nullable=False),
        sa.Column("event_id", sa.String(length=64), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("code", sa.String(length=32)),
        sa.Column("signal", sa.String(length=32), nullable=False),
        sa.Column("values", DOCUMENT),
        sa.Column("observed_at", INSTANT),
        sa.Column("received_at", INSTANT, nullable=False),
        sa.Column("test", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("device_id", "event_id", "content_hash", name="pk_events"),
    )
    op.create_index("ix_events_received_at", "events", ["received_at"])


def _incidents() -> None:
    op.create_table(
        "incidents",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("reference", sa.String(length=8), nullable=False),
        sa.Column("dedup_key", sa.String(length=192), nullable=False),
        sa.Column("holds_key", sa.Boolean(), nullable=False),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("cls", sa.String(length=1), nullable=False),
        sa.Column("severity", sa.Integer(), nullable=False),
        sa.Column("condition", sa.String(length=32), nullable=False),
        sa.Column("ack", sa.String(length=32), nullable=False),
        sa.Column("work", sa.String(length=32), nullable=False),
        sa.Column("device_id", sa.String(length=64)),
        sa.Column("place_id", sa.String(length=36)),
        sa.Column("grid_id", sa.String(length=36)),
        sa.Column("place_text", DOCUMENT, nullable=False),
        sa.Column("opened_at", INSTANT, nullable=False),
        sa.Column("policy", DOCUMENT, nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("due_at", INSTANT),
        sa.Column("due_reason", sa.String(length=32)),
        sa.Column("taken_by", sa.String(length=36)),
        sa.Column("taken_at", INSTANT),
        sa.Column("acknowledged_by", sa.String(length=64)),
        sa.Column("acknowledged_at", INSTANT),
        sa.Column("verified", DOCUMENT),
        sa.Column("closed_at", INSTANT),
        sa.Column("extent", DOCUMENT, nullable=False),
        sa.Column("signals", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_incidents"),
    )
    op.create_index(
        "ix_incidents_due",
        "incidents",
        ["due_at"],
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_index("ix_incidents_grid_id", "incidents", ["grid_id"])
    op.create_index("ix_incidents_opened_at", "incidents", ["opened_at"])
    op.create_index("ix_incidents_reference", "incidents", ["reference"])
    op.create_index(
        "uq_incidents_open_dedup_key",
        "incidents",
        ["dedup_key"],
        unique=True,
        sqlite_where=sa.text("holds_key"),
        postgresql_where=sa.text("holds_key"),
    )


def _incident_overlays() -> None:
    op.create_table(
        "incident_overlays",
        sa.Column("incident_id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("detail", DOCUMENT),
        sa.ForeignKeyConstraint(["incident_id"], ["incidents.id"], name="fk_incident_overlays_incident_id"),
        sa.PrimaryKeyConstraint("incident_id", "kind", name="pk_incident_overlays"),
    )


def _timeline() -> None:
    op.create_table(
        "timeline",
        sa.Column("seq", SEQUENCE, autoincrement=True, nullable=False),
        sa.Column("incident_id", sa.String(length=36), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("actor", sa.String(length=64), nullable=False),
        sa.Column("data", DOCUMENT),
        sa.PrimaryKeyConstraint("seq", name="pk_timeline"),
    )
    op.create_index("ix_timeline_incident_id", "timeline", ["incident_id"])


def _notifications() -> None:
    op.create_table(
        "notifications",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("incident_id", sa.String(length=36), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("recipient_id", sa.String(length=36), nullable=False),
        sa.Column("channel", sa.String(length=32), nullable=False),
        sa.Column("purpose", sa.String(length=32), nullable=False),
        sa.Column("address", sa.String(length=128), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("urgency", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("redial_gap_s", sa.Integer(), nullable=False),
        sa.Column("redial_max", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("planned_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_notifications"),
        sa.UniqueConstraint(
            "incident_id", "round", "step", "recipient_id", "channel", "purpose", name="uq_notifications_intent"
        ),
    )
    op.create_index("ix_notifications_recipient_id", "notifications", ["recipient_id"])


def _attempts() -> None:
    op.create_table(
        "attempts",
        sa.Column("id", sa.String(length=13), nullable=False),
        sa.Column("notification_id", sa.String(length=36), nullable=False),
        sa.Column("incident_id", sa.String(length=36), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("provider", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("due_at", INSTANT),
        sa.Column("lease_boot", SEQUENCE),
        sa.Column("received_at", INSTANT),
        sa.Column("planned_at", INSTANT, nullable=False),
        sa.Column("submitted_at", INSTANT),
        sa.Column("provider_accepted_at", INSTANT),
        sa.Column("first_receipt_at", INSTANT),
        sa.Column("answered_at", INSTANT),
        sa.Column("taken_at", INSTANT),
        sa.Column("provider_ref", sa.String(length=64)),
        sa.Column("error", sa.String(length=64)),
        sa.PrimaryKeyConstraint("id", name="pk_attempts"),
        sa.UniqueConstraint("notification_id", "number", name="uq_attempts_notification_id_number"),
    )
    op.create_index(
        "ix_attempts_due",
        "attempts",
        ["due_at"],
        sqlite_where=sa.text("due_at IS NOT NULL"),
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_index("ix_attempts_incident_id", "attempts", ["incident_id"])


def _callbacks() -> None:
    op.create_table(
        "callbacks",
        sa.Column("id", SEQUENCE, autoincrement=True, nullable=False),
        sa.Column("provider", sa.String(length=32), nullable=False),
        sa.Column("dedupe", sa.String(length=128), nullable=False),
        sa.Column("attempt_id", sa.String(length=13)),
        sa.Column("body", DOCUMENT, nullable=False),
        sa.Column("received_at", INSTANT, nullable=False),
        sa.Column("folded_at", INSTANT),
        sa.PrimaryKeyConstraint("id", name="pk_callbacks"),
        sa.UniqueConstraint("provider", "dedupe", name="uq_callbacks_provider_dedupe"),
    )
    op.create_index("ix_callbacks_received_at", "callbacks", ["received_at"])
    op.create_index(
        "ix_callbacks_unfolded",
        "callbacks",
        ["id"],
        sqlite_where=sa.text("folded_at IS NULL"),
        postgresql_where=sa.text("folded_at IS NULL"),
    )


def _boots() -> None:
    op.create_table(
        "boots",
        sa.Column("id", SEQUENCE, autoincrement=True, nullable=False),
        sa.Column("started_at", INSTANT, nullable=False),
        sa.Column("instance", sa.String(length=128), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_boots"),
    )


def _policies() -> None:
    op.create_table(
        "policies",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("document", DOCUMENT, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_policies"),
        sa.UniqueConstraint("name", name="uq_policies_name"),
    )
