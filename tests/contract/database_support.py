"""A small table, and an open database of either kind, for the tests of the database layer. Holds no test."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy import Column, Connection, Integer, MetaData, String, Table, func, insert, select

from alerting.ports import Priority
from gengfu.database import RunningDatabase, open_database

own = MetaData()
notes = Table("notes", own, Column("id", Integer, primary_key=True), Column("word", String(32), nullable=False))


@dataclass(slots=True)
class Opened:
    """A database with the table `notes`, and what its hook was told."""

    url: str
    database: RunningDatabase
    holds: list[tuple[float, Priority]] = field(default_factory=list)

    @classmethod
    async def open(cls, url: str) -> "Opened":
        holds: list[tuple[float, Priority]] = []
        database = open_database(
            url, monotonic=time.monotonic, on_hold=lambda seconds, priority: holds.append((seconds, priority))
        )
        await database.write(Priority.ADMINISTRATION, own.create_all)
        holds.clear()
        return cls(url, database, holds)

    async def words(self) -> list[str]:
        return await self.database.read(words)

    @property
    def writers(self) -> int:
        return 1 if self.database.dialect == "sqlite" else 4


def words(conn: Connection) -> list[str]:
    return list(conn.scalars(select(notes.c.word).order_by(notes.c.id)))


def note(word: str) -> Callable[[Connection], None]:
    """A transaction that writes one word."""
    return lambda conn: add(conn, word)


def add(conn: Connection, word: str) -> None:
    conn.execute(insert(notes), [{"word": word}])


def pause(conn: Connection, seconds: float) -> None:
    """Hold the transaction for a while, without holding up the event loop."""
    if conn.dialect.name == "postgresql":
        conn.execute(select(func.pg_sleep(seconds)))
    else:
        time.sleep(seconds)
