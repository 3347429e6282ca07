"""The one-process rule of SQLite: a lock file beside the database, held for life. Never opens the database."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gengfu.database.common import parse, sqlite_path


class DatabaseInUse(Exception):
    """Another process holds the database; the message is one sentence with its pid and the remedy."""


def lock_path(database: Path) -> Path:
    return database.with_name(database.name + ".lock")


@contextmanager
def hold(url: str, what: str) -> Iterator[None]:
    """Hold the database for `what` (such as `serve`) until the block ends; the kernel frees it if the process dies.

    Raises `DatabaseInUse`. On PostgreSQL nothing is held: several processes may share it.
    """
    parsed = parse(url)
    if parsed.drivername != "sqlite":
        yield
        return
    database = sqlite_path(parsed)
    descriptor = os.open(lock_path(database), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        _lock(descriptor, database)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()} {what}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, database: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        pid, _, what = os.pread(descriptor, 256, 0).decode(errors="replace").strip().partition(" ")
        raise DatabaseInUse(
            f"The database {database} is in use by process {pid or 'unknown'} ({what or 'starting'}): "
            "stop it first, or use PostgreSQL, which several processes may share."
        ) from None
