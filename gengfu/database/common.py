"""What both databases share: the running-database contract, names from URLs, fast JSON. Never opens a connection."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import msgspec
from sqlalchemy import URL, Connection, make_url

from alerting.ports import Database, Priority

WRITE_TRIES_MAX = 3
"""How often one transaction is run before its `Conflict` (or deadlock) surfaces."""
STATEMENTS_CACHED = 1000
"""Compiled statements SQLAlchemy keeps; prepared statements each connection keeps."""

HoldHook = Callable[[float, Priority], None]
"""Told after every write how many seconds it held the writer. SQLite calls it from the writer's thread."""


class DatabaseClosed(Exception):
    """A transaction was asked of a database that has been closed."""


class RunningDatabase(Database, Protocol):
    """`alerting.ports.Database` plus what the wiring needs: waking other processes, and the end."""

    async def listen(self, channel: str, callback: Callable[[], None]) -> None:
        """Call `callback` on the event loop whenever somebody committed a `notify` on `channel`, and when a lost
        connection is back (something may have been missed). A wake-up only: a sweep must find what it misses.
        Nothing on SQLite."""
        ...

    def notify(self, conn: Connection, channel: str) -> None:
        """Within a transaction: wake the listeners of `channel` when it commits. Nothing on SQLite."""
        ...

    async def close(self) -> None:
        """Finish what is waiting, refuse anything new, close every connection."""
        ...


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder()


def to_json(value: Any) -> str:
    return _encoder.encode(value).decode()


def from_json(text: str | bytes) -> Any:
    return _decoder.decode(text)


def parse(url: str) -> URL:
    """The URL as SQLAlchemy reads it; ValueError names what is wrong with it."""
    parsed = make_url(url)
    if parsed.drivername in ("sqlite", "sqlite+aiosqlite"):
        if not parsed.database or parsed.database == ":memory:" or parsed.database.startswith("file:"):
            raise ValueError("database URL: SQLite needs a plain file, for example sqlite+aiosqlite:///gengfu.db")
        return parsed.set(drivername="sqlite")
    if parsed.drivername in ("postgresql", "postgresql+asyncpg"):
        return parsed.set(drivername="postgresql+asyncpg")
    raise ValueError(f"database URL: {parsed.drivername} is neither sqlite+aiosqlite nor postgresql+asyncpg")


def sqlite_path(url: URL) -> Path:
    assert url.database is not None
    return Path(url.database)


def shown(url: URL) -> str:
    """The URL for people: without its password."""
    return url.render_as_string(hide_password=True)
