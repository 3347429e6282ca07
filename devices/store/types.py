"""Column types shared by every table. Never holds a query."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import JSON, BigInteger, DateTime, Dialect, Integer, MetaData, String, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeDecorator

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

metadata = MetaData(naming_convention=NAMING)
"""Every table of the product: devices, alerting and api hang theirs here."""


_utc = "+00:00"


def _sqlite_text(value: datetime | None) -> str | None:
    if value is None:
        return None
    assert value.tzinfo is not None, "naive datetime reached the database"
    return _utc_text(value.astimezone(UTC))


@lru_cache(maxsize=512)
def _utc_text(value: datetime) -> str:
    """Kept for a while: one moment stands in many columns of many rows. Of UTC only: elsewhere two moments may be equal
    that are an hour apart (`fold`)."""
    return value.isoformat(" ", "microseconds").removesuffix(_utc)


def _sqlite_instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text + _utc)


class Instant(TypeDecorator[datetime]):
    """An aware UTC datetime on both databases: `timestamptz` on PostgreSQL, sortable text on SQLite."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        assert value.tzinfo is not None, "naive datetime reached the database"
        return value.astimezone(UTC).replace(tzinfo=None) if dialect.name == "sqlite" else value

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], Any] | None:
        """On SQLite the text at once: SQLAlchemy's own way to the same letters takes several times as long."""
        return _sqlite_text if dialect.name == "sqlite" else super().bind_processor(dialect)

    def result_processor(self, dialect: Dialect, coltype: Any) -> Callable[[Any], Any] | None:
        return _sqlite_instant if dialect.name == "sqlite" else super().result_processor(dialect, coltype)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        instant: datetime = value
        return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)


Id = String(36)
"""UUIDv7 text, or the device's own name."""
Word = String(32)
"""A value of a closed enum."""
PathText = Text().with_variant(Text(collation="C"), "postgresql")
"""Compared byte by byte on both databases, so that everything below a place is one range of the index."""
Document = JSON().with_variant(JSONB(), "postgresql")
Sequence = BigInteger().with_variant(Integer(), "sqlite")
"""A growing row number."""
