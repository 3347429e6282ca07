"""One read-only look into the database, beside a running service or without one. Never writes, never checkpoints."""

from collections.abc import Callable
from typing import TypeVar

import asyncpg
from alembic.migration import MigrationContext
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from gengfu.database import migrate
from gengfu.database.common import parse, sqlite_path
from gengfu.database.sqlite import create_sync_engine

T = TypeVar("T")

_READER_PRAGMAS = ("busy_timeout=2000", "query_only=ON", "wal_autocheckpoint=0")

UNREACHABLE = (SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError)
"""What a database throws that does not answer, or not as it should."""


class SchemaDiffers(Exception):
    """The database is not of this program's schema; the message is one sentence with the remedy."""


def read(url: str, work: Callable[[Connection], T]) -> T:
    """Run `work` in one transaction. Raises `SchemaDiffers`, or one of `UNREACHABLE`. Blocks."""
    try:
        return _read(url, work)
    except _OtherRevision:
        raise SchemaDiffers(migrate.check(url) or "The schema has just changed: try again.") from None


def why(fault: BaseException) -> str:
    """The driver's own words, without statement, values or full stop."""
    lines = str(getattr(fault, "orig", None) or fault).splitlines()
    return lines[0].rstrip(".") if lines else type(fault).__name__


class _OtherRevision(Exception):
    pass


def _read(url: str, work: Callable[[Connection], T]) -> T:
    def checked(conn: Connection) -> T:
        if MigrationContext.configure(conn).get_current_revision() != migrate.head_revision():
            raise _OtherRevision
        return work(conn)

    parsed = parse(url)
    if parsed.drivername != "sqlite":
        return migrate.run(parsed, checked)
    if not sqlite_path(parsed).exists():
        raise _OtherRevision
    engine = create_sync_engine(parsed, _READER_PRAGMAS, "BEGIN")
    try:
        with engine.begin() as conn:
            return checked(conn)
    finally:
        engine.dispose()
