"""The one way to open a database: SQLite in a writer thread, or PostgreSQL. Never holds a query of its own."""

from collections.abc import Callable

from gengfu.clock import RandomIds
from gengfu.database.common import DatabaseClosed, HoldHook, RunningDatabase, parse
from gengfu.database.lock import DatabaseInUse, hold
from gengfu.database.postgres import PostgresDatabase
from gengfu.database.sqlite import SqliteDatabase

__all__ = ["DatabaseClosed", "DatabaseInUse", "HoldHook", "RunningDatabase", "hold", "open_database"]


def open_database(
    url: str,
    *,
    monotonic: Callable[[], float],
    on_hold: HoldHook | None = None,
    fraction: Callable[[], float] | None = None,
) -> RunningDatabase:
    """Open `sqlite+aiosqlite:///file` (also `sqlite:///file`) or `postgresql+asyncpg://...`.

    `monotonic` measures how long writes hold the writer (told to `on_hold`, seconds); `fraction` draws from [0, 1) for
    the jitter between repeats on PostgreSQL. ValueError for any other URL, OSError where the file cannot be opened;
    PostgreSQL connects with the first transaction. Neither checks the schema: `gengfu.database.migrate.check` does.
    """
    parsed = parse(url)
    if parsed.drivername == "sqlite":
        return SqliteDatabase(parsed, monotonic=monotonic, on_hold=on_hold)
    return PostgresDatabase(parsed, monotonic=monotonic, on_hold=on_hold, fraction=fraction or RandomIds().fraction)
