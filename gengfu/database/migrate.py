"""The schema: its version, its upgrade, and whether this program fits it. Never touches what the rows say."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, NullPool
from sqlalchemy.ext.asyncio import create_async_engine

from gengfu.database.common import parse, shown, sqlite_path
from gengfu.database.lock import hold
from gengfu.database.sqlite import create_file, create_sync_engine

T = TypeVar("T")

MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"
REMEDY = "gengfu db upgrade"


def upgrade(url: str) -> None:
    """Bring the schema to the newest version, in one transaction; creates a SQLite file that is missing.

    Raises `DatabaseInUse` while another process (or a lock held by this one) uses the SQLite file.
    """
    parsed = parse(url)
    with hold(url, "db upgrade"):
        if parsed.drivername == "sqlite":
            create_file(sqlite_path(parsed))
        run(parsed, _upgrade)


def head_revision() -> str:
    """The schema this program was written for."""
    head = _scripts().get_current_head()
    assert head is not None
    return head


def current_revision(url: str) -> str | None:
    """The database's schema; None when it has none (or, on SQLite, no file yet)."""
    parsed = parse(url)
    if parsed.drivername == "sqlite" and not sqlite_path(parsed).exists():
        return None
    return run(parsed, _revision)


def check(url: str) -> str | None:
    """None when the schema is this program's; otherwise one sentence saying what is wrong and the remedy."""
    current, head = current_revision(url), head_revision()
    if current == head:
        return None
    name = shown(parse(url))
    if current is None:
        return f"The database {name} has no schema yet: run `{REMEDY}`."
    if any(script.revision == current for script in _scripts().walk_revisions()):
        return (
            f"The database {name} has schema {current}, this program needs {head}: "
            f"make a backup (`gengfu db backup FILE`), then run `{REMEDY}`."
        )
    return (
        f"The database {name} has schema {current}, which this program (schema {head}) does not know: "
        f"install the newer program that wrote it, or restore a backup and run `{REMEDY}`."
    )


def run(url: URL, work: Callable[[Connection], T]) -> T:
    """One transaction on a connection of its own, without the service's timeouts. Blocks, also within an event loop."""
    if url.drivername == "sqlite":
        engine = create_sync_engine(url)
        try:
            with engine.begin() as connection:
                return work(connection)
        finally:
            engine.dispose()
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, _run_postgres(url, work)).result()


async def _run_postgres(url: URL, work: Callable[[Connection], T]) -> T:
    engine = create_async_engine(url, poolclass=NullPool)
    try:
        async with engine.begin() as connection:
            return await connection.run_sync(work)
    finally:
        await engine.dispose()


def _upgrade(connection: Connection) -> None:
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())
