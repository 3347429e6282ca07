"""A copy of the whole database in one file, and back. Never overwrites a backup or throws replaced data away."""

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

from sqlalchemy import URL

from gengfu.database.common import parse, sqlite_path
from gengfu.database.lock import hold
from gengfu.database.sqlite import create_file

ASIDE = ".before-restore"
"""Where `restore` leaves the SQLite file that it replaced: beside it, with this ending."""
_PARTS = ("", "-wal", "-shm")
_SQLITE_MAGIC = b"SQLite format 3\x00"
_POSTGRES_MAGIC = b"PGDMP"


class BackupFailed(Exception):
    """The copy could not be made or read back; the message is one sentence."""


def backup(url: str, file: Path) -> None:
    """Write a consistent copy while the service runs: a SQLite file, or a `pg_dump` archive, for its owner's eyes only.

    Raises `BackupFailed`; the file is complete or not there.
    """
    parsed = parse(url)
    if file.exists():
        raise BackupFailed(f"{file} exists already: choose another name.")
    part = file.with_name(file.name + ".part")
    part.unlink(missing_ok=True)
    create_file(part)
    try:
        if parsed.drivername == "sqlite":
            _copy_sqlite(sqlite_path(parsed), part)
        else:
            _postgres(parsed, "pg_dump", "--format=custom", f"--file={part}")
        _sync(part)
        os.replace(part, file)
        _sync(file.parent)
    finally:
        part.unlink(missing_ok=True)


def restore(url: str, file: Path) -> None:
    """Put a backup in the place of the database. Nobody may be using it.

    SQLite: the replaced file stays beside it (`ASIDE`). PostgreSQL: one transaction that replaces every table that the
    archive holds. Raises `BackupFailed`, `DatabaseInUse`; then nothing has changed. Run `gengfu db upgrade` afterwards.
    """
    parsed = parse(url)
    sqlite = parsed.drivername == "sqlite"
    if not file.is_file():
        raise BackupFailed(f"{file} does not exist.")
    magic = _SQLITE_MAGIC if sqlite else _POSTGRES_MAGIC
    with file.open("rb") as opened:
        if opened.read(len(magic)) != magic:
            raise BackupFailed(f"{file} is no backup of a {'SQLite' if sqlite else 'PostgreSQL'} database.")
    if sqlite:
        with hold(url, "db restore"):
            _replace_sqlite(sqlite_path(parsed), file)
    else:
        options = ("--clean", "--if-exists", "--no-owner", "--single-transaction", "--exit-on-error")
        _postgres(parsed, "pg_restore", *options, f"--dbname={parsed.database}", str(file))


def _copy_sqlite(source: Path, target: Path) -> None:
    if not source.is_file():
        raise BackupFailed(f"The database {source} does not exist.")
    try:
        with closing(sqlite3.connect(source, isolation_level=None)) as connection:
            connection.execute("PRAGMA busy_timeout=2000")
            connection.execute("VACUUM INTO ?", (str(target),))
    except sqlite3.Error as error:
        raise BackupFailed(f"{source} could not be copied: {error}.") from error


def _replace_sqlite(database: Path, file: Path) -> None:
    part = database.with_name(database.name + ".part")
    part.unlink(missing_ok=True)
    create_file(part)
    try:
        _copy_sqlite(file, part)
        with closing(sqlite3.connect(part)) as connection:
            verdict = connection.execute("PRAGMA quick_check").fetchone()[0]
        if verdict != "ok":
            raise BackupFailed(f"{file} is damaged: {verdict}.")
        _sync(part)
        for ending in _PARTS:
            aside = database.with_name(database.name + ASIDE + ending)
            aside.unlink(missing_ok=True)
            current = database.with_name(database.name + ending)
            if current.exists():
                os.replace(current, aside)
        os.replace(part, database)
        _sync(database.parent)
    finally:
        part.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _postgres(url: URL, program: str, *options: str) -> None:
    """Run one of PostgreSQL's own tools on `url`; the password travels in the environment, which only we can read."""
    found = shutil.which(program)
    if found is None:
        raise BackupFailed(f"{program} is not installed: install PostgreSQL's client programs (postgresql-client).")
    host = url.host or url.query.get("host")
    values = {"PGHOST": host, "PGPORT": url.port, "PGUSER": url.username, "PGPASSWORD": url.password}
    environment = {name: str(value) for name, value in values.items() if value}
    environment["PGDATABASE"] = url.database or ""
    done = subprocess.run(
        [found, *options], env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines() or ["no reason given"]
        raise BackupFailed(f"{program} failed: {lines[-1]}")
