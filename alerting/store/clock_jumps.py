"""Due times moved on with a clock that was set forward: each keeps the time that it had left. Never decides when."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Column, ColumnElement, Connection, Table, bindparam, insert, or_, select, true, update

from alerting.store.tables import attempts, incidents
from alerting.store.tables_commands import commands
from alerting.store.tables_restraint import summaries
from alerting.store.tables_supervision import clock_jumps
from alerting.store.tables_testing import held_alarms, probes

same_jump_s = 10.0
same_size = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class _Durable:
    """A table's due times; `written_at` says when a row got them, so that what was set after the jump stays."""

    table: Table
    columns: tuple[str, ...]
    written_at: Column[datetime]
    open: ColumnElement[bool]


MOVED: tuple[_Durable, ...] = (
    _Durable(
        incidents,
        ("due_at", "acknowledged_until", "shelved_until"),
        incidents.c.due_set_at,
        incidents.c.closed_at.is_(None),
    ),
    _Durable(attempts, ("due_at",), attempts.c.planned_at, attempts.c.due_at.is_not(None)),
    _Durable(held_alarms, ("due_at",), held_alarms.c.received_at, held_alarms.c.settled_at.is_(None)),
    _Durable(probes, ("due_at", "send_before", "expires_at"), probes.c.created_at, probes.c.due_at.is_not(None)),
    _Durable(summaries, ("due_at", "not_before"), summaries.c.planned_at, summaries.c.due_at.is_not(None)),
    _Durable(commands, ("due_at", "expires_at"), commands.c.planned_at, commands.c.due_at.is_not(None)),
)
"""Every wait that is a number of seconds. What people set as a time of day (a shift, an override) stays; a shelf
ends with its ladder's own due time, or a rule would be asked about it in vain until then."""


def move(conn: Connection, before: datetime, by: timedelta, boot: int) -> int | None:
    """Move what is due later than `before`, the instant of the jump by the clock as it was. How many rows; None where
    another process on this machine has done it."""
    after = before + by
    near = (after - timedelta(seconds=same_jump_s), after + timedelta(seconds=same_jump_s))
    known = select(clock_jumps.c.by_ms).where(clock_jumps.c.noticed_at.between(*near), clock_jumps.c.boot != boot)
    if any(abs(timedelta(milliseconds=by_ms) - by) < same_size for by_ms in conn.scalars(known)):
        return None
    conn.execute(insert(clock_jumps).values(boot=boot, noticed_at=after, by_ms=round(by.total_seconds() * 1000)))
    return sum(_move(conn, durable, before, by) for durable in MOVED)


def move_back(conn: Connection, now: datetime, by: timedelta, boot: int) -> int:
    """The clock was set back while nothing ran: what was written in our future is due so much earlier, at `now` at the
    earliest. How many rows."""
    conn.execute(insert(clock_jumps).values(boot=boot, noticed_at=now, by_ms=-round(by.total_seconds() * 1000)))
    return sum(_move(conn, durable, now, -by) for durable in MOVED)


def _before_the_jump(written_at: Column[datetime], before: datetime, by: timedelta) -> ColumnElement[bool]:
    """Also what was written far in our future: by a life before the clock was set back."""
    long_after = before + by + timedelta(seconds=same_jump_s)
    return or_(written_at.is_(None), written_at <= before, written_at > long_after)


def _move(conn: Connection, durable: _Durable, before: datetime, by: timedelta) -> int:
    keys = list(durable.table.primary_key.columns)
    columns = [durable.table.c[name] for name in durable.columns]
    written = true() if by < timedelta() else _before_the_jump(durable.written_at, before, by)
    later = or_(*(column > before for column in columns))
    found = conn.execute(select(*keys, *columns).where(durable.open, written, later).with_for_update()).fetchall()
    if not found:
        return 0
    moved = [
        {
            **{f"key_{column.name}": value for column, value in zip(keys, row, strict=False)},
            **{
                f"new_{column.name}": max(at + by, before) if at is not None and at > before else at
                for column, at in zip(columns, row[len(keys) :], strict=True)
            },
        }
        for row in found
    ]
    values = {column.name: bindparam(f"new_{column.name}", type_=column.type) for column in columns}
    mine = (column == bindparam(f"key_{column.name}") for column in keys)
    conn.execute(update(durable.table).where(*mine).values(**values), moved)
    return len(found)
