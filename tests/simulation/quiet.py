"""What saves the pollers' empty rounds: leaps while nothing happens, and answers that cannot have changed.

Every moment that any row waits for is looked up. A leap ends before it, by whole seconds: the sweep's second keeps its
place, and a due time that nobody armed is still found late. An answer is kept only until then, and until anything is
written. Never skips anything that is due.
"""

import asyncio
import importlib
import math
import pkgutil
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from types import CodeType
from typing import Any

from sqlalchemy import Connection, Table

import alerting.store
from alerting.inbox import Folded
from tests.simulation.town import template

round_s = 1.2
"""Whatever was asked for at once has been looked at after this time."""
ahead_s = 2.0
"""Some questions look so far ahead."""
leap_s_max = 600.0
ASKS_THE_SAME = frozenset({"ticker", "inbox"})
"""Tasks that ask the database the same questions again and again."""
_UNFOLDED = "SELECT 1 FROM callbacks WHERE folded_at IS NULL LIMIT 1"
_PENDING = "SELECT min(at) FROM (SELECT min(due_at) AS at FROM attempts UNION ALL SELECT min(due_at) FROM incidents)"
_TABLES = "SELECT name FROM sqlite_master WHERE type = 'table'"
_WAITS = ("due_at", "_until", "expires_at", "ends_at", "next_at", "send_at")


class Quiet:
    """`stir` whenever anything happens; `skip` says how many seconds from `following` on are empty."""

    def __init__(self, driver: sqlite3.Connection) -> None:
        self._driver = driver
        self._since = 0.0
        self._changes = -1
        self._earliest: datetime | None = None

    def stir(self, moment: float) -> None:
        self._since = moment

    def skip(self, moment: float, following: float, agenda: float, now: datetime) -> float:
        """It is `moment`; `agenda`: when something comes from outside; `now`: what the service's clock shows."""
        if following - self._since < round_s or agenda - following < round_s:
            return 0.0
        rest = self.rest_s(now) - (following - moment)
        return max(0.0, math.floor(min(rest, agenda - following, leap_s_max) - round_s))

    def rest_s(self, now: datetime) -> float:
        """Seconds until the next moment that any row waits for; nothing while one waits that has passed."""
        changes = self._driver.total_changes
        if changes != self._changes:
            self._changes, self._earliest = changes, self._look(now)
        earliest = self._earliest
        if earliest is None:
            return math.inf
        rest = (earliest - now).total_seconds()
        if rest <= 0:  # it has passed: which is the next one?
            self._earliest = self._look(now)
        return rest

    def _look(self, now: datetime) -> datetime | None:
        shown = f"{now.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}"
        pending = self._driver.execute(_PENDING).fetchone()[0]
        if self._driver.execute(_UNFOLDED).fetchone() or (pending is not None and pending <= shown):
            return now
        earliest = self._driver.execute(_moments(), (shown,)).fetchone()[0]
        return datetime.fromisoformat(earliest).replace(tzinfo=UTC) if earliest is not None else None


class KnownPolls:
    """`tests.simulation.inline.Polls`: within a poller's own task, an empty answer stays empty until something is
    written or comes due."""

    def __init__(self, driver: sqlite3.Connection, quiet: Quiet, now: Callable[[], datetime]) -> None:
        self._driver = driver
        self._quiet = quiet
        self._now = now
        self._answers: dict[CodeType, Any] = {}
        self._changes = -1

    def known(self, work: Callable[[Connection], Any]) -> tuple[Any] | None:
        code = _code(work)
        if code is None or not self._holds() or code not in self._answers:
            return None
        return (self._answers[code],)

    def learn(self, work: Callable[[Connection], Any], result: Any) -> None:
        code = _code(work)
        if code is not None and self._holds() and _is_empty(result):
            self._answers[code] = result

    def _holds(self) -> bool:
        if self._driver.total_changes != self._changes or self._quiet.rest_s(self._now()) < ahead_s:
            self._changes = self._driver.total_changes
            self._answers.clear()
            return self._quiet.rest_s(self._now()) >= ahead_s
        return True


def _code(work: Callable[[Connection], Any]) -> CodeType | None:
    """Which question it is; None where nobody but a poller asks."""
    task = asyncio.current_task()
    if task is None or task.get_name() not in ASKS_THE_SAME:
        return None
    return getattr(work, "__code__", None) or getattr(getattr(work, "__func__", None), "__code__", None)


def _is_empty(result: Any) -> bool:
    if isinstance(result, Folded):
        return not (result.entries or result.humans or result.failed or result.more or result.due or result.last)
    return not result


@cache
def _moments() -> str:
    """The earliest future moment in all columns by which a row of alerting waits."""
    there = {row[0] for row in template().execute(_TABLES)}
    columns = [(t.name, c.name) for t in _tables() if t.name in there for c in t.columns if c.name.endswith(_WAITS)]
    parts = [f'SELECT min("{column}") AS at FROM "{table}" WHERE "{column}" > ?1' for table, column in columns]
    return f"SELECT min(at) FROM ({' UNION ALL '.join(parts)})"


def _tables() -> list[Table]:
    names = [each.name for each in pkgutil.iter_modules(alerting.store.__path__) if each.name.startswith("tables")]
    modules = [importlib.import_module(f"alerting.store.{name}") for name in sorted(names)]
    found = {table.name: table for module in modules for table in vars(module).values() if isinstance(table, Table)}
    return [found[name] for name in sorted(found)]
