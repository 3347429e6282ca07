"""Channels and providers: how a message is worded for templates, push subscriptions, answer links, marks on numbers."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
DOCUMENT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
SEQUENCE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
PATH = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "provider_checks",
        sa.Column("provider", sa.String(length=32), nullable=False),
        sa.Column("channel", sa.String(length=32), nullable=False),
        sa.Column("checked_at", INSTANT, nullable=False),
        sa.Column("findings", DOCUMENT, nullable=False),
        sa.Column("balance", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("provider", "channel", name=op.f("pk_provider_checks")),
    )
    op.create_table(
        "self_tests",
        sa.Column("person_id", sa.String(length=36), nullable=False),
        sa.Column("phone", sa.String(length=36), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("test_id", sa.String(length=13), nullable=False),
        sa.Column("sent_at", INSTANT, nullable=False),
        sa.Column("untapped_since", INSTANT, nullable=True),
        sa.Column("tapped_at", INSTANT, nullable=True),
        sa.Column("refused", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("person_id", "phone", name=op.f("pk_self_tests")),
    )
    op.create_index("ix_self_tests_test", "self_tests", ["test_id"], unique=False)
    op.create_table(
        "subscriptions",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("person_id", sa.String(length=36), nullable=False),
        sa.Column("carrier", sa.String(length=32), nullable=False),
        sa.Column("target", DOCUMENT, nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("label", sa.String(length=64), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("confirmed_at", INSTANT, nullable=True),
        sa.Column("last_sent_at", INSTANT, nullable=True),
        sa.Column("gone_at", INSTANT, nullable=True),
        sa.Column("gone_reason", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_subscriptions_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscriptions")),
        sa.UniqueConstraint("person_id", "carrier", "digest", name=op.f("uq_subscriptions_person_id_carrier_digest")),
    )
    op.create_index(op.f("ix_subscriptions_digest"), "subscriptions", ["digest"], unique=False)
    op.add_column("attempts", sa.Column("ended_at", INSTANT, nullable=True))
    op.create_index(
        "ix_attempts_reference",
        "attempts",
        ["provider_ref"],
        unique=False,
        sqlite_where=sa.text("provider_ref IS NOT NULL"),
        postgresql_where=sa.text("provider_ref IS NOT NULL"),
    )
    op.create_index(
        "ix_attempts_unconfirmed",
        "attempts",
        ["provider_accepted_at"],
        unique=False,
        sqlite_where=sa.text("state IN ('provider_accepted', 'sent')"),
        postgresql_where=sa.text("state IN ('provider_accepted', 'sent')"),
    )
    op.add_column("contact_points", sa.Column("unreachable_since", INSTANT, nullable=True))
    op.add_column("contact_points", sa.Column("unreachable_reason", sa.String(length=64), nullable=True))
    op.add_column("contact_points", sa.Column("unreachable_provider", sa.String(length=32), nullable=True))
    op.add_column("contact_points", sa.Column("whitelisted", DOCUMENT, nullable=True))
    op.add_column("contact_points", sa.Column("card_saved_at", INSTANT, nullable=True))
    op.add_column("contact_points", sa.Column("guide_done_at", INSTANT, nullable=True))
    op.add_column("notifications", sa.Column("wording", DOCUMENT, nullable=True))
    op.create_index("ix_notifications_address", "notifications", ["address", "planned_at"], unique=False)
    op.add_column("probes", sa.Column("wording", DOCUMENT, nullable=True))
    op.add_column("probes", sa.Column("provider", sa.String(length=32), nullable=True))
    op.add_column("probes", sa.Column("subscription_id", sa.String(length=36), nullable=True))
