"""Looks into the database after every commit, with statements of his own, and judges what changed.

Never asks the code that he judges what it meant: he compares rows with the rows before, with the roster, and with what
people really said.
"""

import json
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from alerting.core.model import Policy, Work
from alerting.core.policy import parse

SECOND = 1.0

_INCIDENTS = """SELECT id, version, work, ack, "round", step, due_at, taken_by, closed_at IS NULL, grid_id, extent,
 code, severity, place_id, due_reason FROM incidents ORDER BY id"""
_POLICY = "SELECT policy FROM incidents WHERE id = ?"
_TIMELINE = "SELECT seq, incident_id, kind, reason, actor, data FROM timeline WHERE seq > ? ORDER BY seq"


class Broken(AssertionError):
    """A law does not hold. The text says which, and what was seen."""


@dataclass(slots=True)
class Standing:
    """One incident as it stood after a commit."""

    id: str
    version: int
    work: str
    ack: str
    round: int
    step: int
    due_at: datetime | None
    taken_by: str | None
    open: bool
    grid_id: str | None
    extent: str
    code: str
    severity: int
    place_id: str | None
    due_reason: str | None
    due_mono: float = 0.0
    """When `due_at` comes by the clock that nobody sets."""
    changed_mono: float = 0.0

    @property
    def answered(self) -> bool:
        return self.work not in (Work.NEW, Work.DISPATCHED)


@dataclass(frozen=True, slots=True)
class Line:
    """One entry of the timeline."""

    seq: int
    incident_id: str
    kind: str
    reason: str
    actor: str
    data: dict[str, Any]


@dataclass(slots=True)
class Change:
    """What one commit did to one incident."""

    before: Standing | None
    after: Standing
    lines: list[Line]
    policy: Policy
    now: datetime
    mono: float

    @property
    def pages(self) -> list[Line]:
        return [line for line in self.lines if line.kind == "planned" and line.data.get("purpose") == "page"]

    def has(self, kind: str, *reasons: str) -> bool:
        return any(line.kind == kind and (not reasons or line.reason in reasons) for line in self.lines)


Rule = Callable[[Change], None]


@dataclass(slots=True)
class Judge:
    """`look(now, mono)` after every commit; `rules` are asked about every incident that it changed."""

    driver: sqlite3.Connection
    rules: tuple[Rule, ...]
    standing: dict[str, Standing] = field(default_factory=dict)
    policies: dict[str, Policy] = field(default_factory=dict)
    lines: list[Line] = field(default_factory=list)
    _seen_changes: int = 0

    def moved(self) -> bool:
        """Has anything been written since the last look?"""
        return self.driver.total_changes != self._seen_changes

    def look(self, now: datetime, mono: float) -> list[Change]:
        """Everything that changed; raises Broken where a rule does not hold."""
        if not self.moved():
            return []
        self._seen_changes = self.driver.total_changes
        last = self.lines[-1].seq if self.lines else 0
        fresh = [_line(row) for row in self.driver.execute(_TIMELINE, (last,))]
        self.lines.extend(fresh)
        changes = []
        for row in self.driver.execute(_INCIDENTS).fetchall():
            change = self._change(row, fresh, now, mono)
            if change is not None:
                changes.append(change)
        for change in changes:
            for rule in self.rules:
                rule(change)
        return changes

    def _change(self, row: tuple[Any, ...], fresh: list[Line], now: datetime, mono: float) -> Change | None:
        before = self.standing.get(row[0])
        mine = [line for line in fresh if line.incident_id == row[0]]
        due = _instant(row[6])
        if before is not None and (before.version, before.due_at) == (row[1], due) and not mine:
            return None
        after = _standing(row, due)
        same_due = before is not None and before.due_at == after.due_at
        after.due_mono = before.due_mono if before is not None and same_due else _mono_of(after.due_at, now, mono)
        after.changed_mono = mono
        self.standing[after.id] = after
        return Change(before, after, mine, self._policy(after.id), now, mono)

    def _policy(self, incident_id: str) -> Policy:
        known = self.policies.get(incident_id)
        if known is None:
            stored = json.loads(self.driver.execute(_POLICY, (incident_id,)).fetchone()[0])
            known = self.policies[incident_id] = parse(stored["name"], stored, stored["version"])
        return known


def _line(row: tuple[Any, ...]) -> Line:
    seq, incident_id, kind, reason, actor, data = row
    return Line(seq, incident_id, kind, reason, actor, json.loads(data or "{}"))


def _standing(row: tuple[Any, ...], due_at: datetime | None) -> Standing:
    id_, version, work, ack, round_, step, _, taken_by, open_, grid_id, extent, code, severity, place_id, why = row
    ladder = (id_, version, work, ack, round_, step, due_at, taken_by, bool(open_), grid_id)
    return Standing(*ladder, extent, code, severity, place_id, why)


def _mono_of(due_at: datetime | None, now: datetime, mono: float) -> float:
    return mono + (due_at - now).total_seconds() if due_at is not None else 0.0


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text).replace(tzinfo=UTC) if text else None
