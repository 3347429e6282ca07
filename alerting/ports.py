"""What the alerting shell needs from outside: a database, a clock, fresh ids. Never an implementation."""

from collections.abc import Callable
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Protocol, TypeVar, runtime_checkable

from sqlalchemy import Connection

T = TypeVar("T")


class Priority(IntEnum):
    """Who writes first when several wait for the one writer."""

    ALARM = 0
    ACCEPTANCE = 1
    ATTEMPT = 2
    CALLBACK = 3
    TELEMETRY = 4
    ADMINISTRATION = 5


class Database(Protocol):
    """Runs a plain function on a connection as ONE transaction.

    The function gets a SQLAlchemy `Connection`, runs Core statements and returns a value; it must not wait for anything
    else, so nobody can hold the writer while talking to a broker or a provider. It may be run again from the start when
    another winner was found (`Conflict`), three times at most. Commit happens when it returns; an exception rolls back.
    """

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        ...

    async def write(self, priority: Priority, work: Callable[[Connection], T]) -> T: ...

    async def read(self, work: Callable[[Connection], T]) -> T:
        """A read-only transaction. On SQLite it never waits for the writer."""
        ...


class Conflict(Exception):
    """Another writer won (a conditional write matched nothing): roll back, load again, decide again."""


class Clock(Protocol):
    def now(self) -> datetime:
        """Aware UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds; only differences mean anything."""
        ...


@runtime_checkable
class SteadyClock(Protocol):
    """A clock that does not follow when the machine's is set forward, until it is told to."""

    def jumped(self) -> timedelta:
        """How far the machine's clock was set forward since; zero when it was not."""
        ...

    def follow(self, by: timedelta) -> None: ...


class Ids(Protocol):
    def uuid7(self) -> str: ...

    def attempt(self) -> str:
        """64 random bits in 13 base32 characters (fits every provider's reference field)."""
        ...

    def reference(self) -> str:
        """Five characters without look-alikes, for people to say and type."""
        ...
