"""Interlocks inside one open transaction: what may be commanded is loaded, commands become rows. Never sends."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from alerting.core.commands import CommandState, decide, expires_s_default, wishes
from alerting.core.decisions import Decision, SendCommand
from alerting.core.model import Action, Reason
from alerting.core.signal import SignalIn
from alerting.core.world import World
from alerting.ports import Ids
from alerting.store import commands as store
from alerting.store.commands import Command
from alerting.store.timeline import Entry
from devices.audit import AuditEntry
from devices.store import audit

SYSTEM = "gengfu"
WAKE_COMMANDS = "gengfu_commands"
"""What gateways are woken by (PostgreSQL); their sweep finds whatever a wake-up misses."""


def ask(conn: Connection, made: Sequence[Decision], signals: Iterable[SignalIn], world: World) -> list[SendCommand]:
    """What the policies of these decisions command. Asks the database only where a policy commands anything."""
    asked: list[SendCommand] = []
    for wish in wishes(made, signals, world):
        building = wish.building if wish.command.action is Action.SOUND_SIREN else ()
        able = store.actuators(
            conn, wish.command.action, place_id=wish.place_id, device_id=wish.device_id, building=building
        )
        asked.extend(decide(wish, able))
    return asked


def plan(conn: Connection, now: datetime, ids: Ids, made: Sequence[SendCommand]) -> list[Command]:
    """Write what the policies command; those that were not written before. Refused ones too: nothing is sent of them,
    and nobody can miss that. The audit is told by the sweep: an alarm never waits for the end of its chain."""
    rows = [_row(ids.uuid7(), now, each) for each in made]
    written = store.plan(conn, rows)
    return [row for row in rows if row.id in written]


def entries(rows: Sequence[Command], now: datetime) -> list[Entry]:
    """What the timelines of their incidents say."""
    return [entry(row, now) for row in rows if row.incident_id is not None]


def entry(row: Command, now: datetime) -> Entry:
    """One line of the incident's timeline, in the words of the command's state."""
    assert row.incident_id is not None
    kind = "command" if row.state is CommandState.PLANNED else f"command_{row.state.value}"
    data: dict[str, Any] = {"command": row.id, "device": row.device_id, "action": row.action.value}
    if row.state is CommandState.PLANNED:
        data |= {"args": row.args, "expires_at": row.expires_at.isoformat(), "by": row.asked_by_name}
        data |= {"why": row.asked_why} if row.asked_why else {}
    elif row.reason is not None:
        data["why"] = row.reason
    if row.values:
        data["values"] = row.values
    return Entry(row.incident_id, now, kind, _reason(row), row.asked_by, data)


def audited(conn: Connection, rows: Sequence[Command], at: Callable[[Command], datetime]) -> None:
    """A row in the audit for each: asked for, refused, or how it ended."""
    paths = store.paths(conn, [row.device_id for row in rows])
    for row in rows:
        act = "command" if row.state is CommandState.PLANNED else f"command_{row.state.value}"
        detail: dict[str, Any] = {"command": row.id, "action": row.action.value, "args": row.args}
        detail |= {"incident": row.incident_id, "reason": row.asked_why or row.reason}
        who, path = row.device_id or "-", paths.get(row.device_id)
        audit.record(conn, AuditEntry(at(row), SYSTEM, SYSTEM, "service", act, "devices", who, path, detail))


def _row(command_id: str, now: datetime, made: SendCommand) -> Command:
    state = CommandState.REFUSED if made.refused else CommandState.PLANNED
    return Command(
        id=command_id,
        key=made.key,
        incident_id=made.incident_id,
        device_id=made.device_id,
        action=made.action,
        args=dict(made.args),
        state=state,
        reason=made.refused.value if made.refused else None,
        asked_by=SYSTEM,
        asked_by_name=SYSTEM,
        planned_at=now,
        expires_at=now + timedelta(seconds=expires_s_default),
    )


_REASONS = {
    CommandState.SENT: Reason.COMMAND_SENT,
    CommandState.DONE: Reason.COMMAND_DONE,
    CommandState.FAILED: Reason.COMMAND_FAILED,
    CommandState.EXPIRED: Reason.COMMAND_EXPIRED,
}


def _reason(row: Command) -> str:
    if row.state is CommandState.PLANNED:
        return (Reason.INTERLOCK if row.asked_by == SYSTEM else Reason.COMMANDED).value
    if row.state is CommandState.REFUSED:
        return row.reason or Reason.NOT_DECLARED.value
    return _REASONS[row.state].value
