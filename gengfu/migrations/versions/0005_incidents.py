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
    op.add_column("attempts", sa.Column("delivered_at", INSTANT, nullable=True))
    op.add_column("attempts", sa.Column("observed_at", INSTANT, nullable=True))
    op.add_column("attempts", sa.Column("committed_at", INSTANT, nullable=True))
    op.add_column("incidents", sa.Column("raised_by", sa.String(length=64), nullable=True))
    op.add_column("incidents", sa.Column("raised_via", sa.String(length=32), nullable=True))
    op.add_column("incidents", sa.Column("linked_to", sa.String(length=36), nullable=True))
    op.add_column("incidents", sa.Column("drill_id", sa.String(length=36), nullable=True))
    op.add_column("incidents", sa.Column("shelved_until", INSTANT, nullable=True))
    op.add_column("incidents", sa.Column("acknowledged_until", INSTANT, nullable=True))
