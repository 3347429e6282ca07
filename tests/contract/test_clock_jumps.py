"""Due times move on with a clock that was set, on both databases: incidents, attempts, held alarms, probes alike."""

from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

import pytest
import pytest_asyncio
from sqlalchemy import Connection, select, text, update
from sqlalchemy.exc import SQLAlchemyError

from alerting.core.held import Held
from alerting.core.model import AttemptState
from alerting.jumps import Jumps
from alerting.store import attempts, clock_jumps, held, incidents, probes
from alerting.store.attempts import NewAttempt
from alerting.store.clock_jumps import MOVED
from alerting.store.probes import Probe
from alerting.store.tables import attempts as attempt_rows
from alerting.store.tables import incidents as incident_rows
from alerting.store.tables_testing import held_alarms
from alerting.store.tables_testing import probes as probe_rows
from devices.model import Channel, Language
from gengfu.clock import ForwardClock, SystemClock
from tests.contract.registry_support import Registry
from tests.unit.builders import an_incident

pytest_plugins = ["tests.contract.registry_fixtures"]

NOW = datetime.fromisoformat("2026-11-27T03:00:00+00:00")
HOUR = timedelta(hours=1)
DUE_S = 90


def _at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def _fill(conn: Connection) -> None:
    """One of each, written a minute ago and due in ninety seconds; and an incident that is due already."""
    waiting = replace(an_incident(), id="i-1", dedup_key="v1:water.leak:a", opened_at=_at(-60), due_at=_at(DUE_S))
    passed = replace(waiting, id="i-2", dedup_key="v1:water.leak:b", due_at=_at(-1))
    incidents.insert(conn, [waiting, passed])
    attempts.insert(
        conn,
        [NewAttempt("a-1", "n-1", "i-1", 2, "redial", "", AttemptState.PLANNED, _at(DUE_S), None, None, _at(-60))],
    )
    held.insert(conn, [Held("h-1", "R1", "smoke-1", "fire.smoke", "b", "r", _at(-60), None, _at(DUE_S))])
    probe = Probe(
        "p-1", "contact", Channel.SMS, "+8613800138000", Language.ZH_CN, "x", _at(-60), _at(DUE_S), _at(2 * DUE_S)
    )
    probes.add(conn, probe)
    conn.execute(update(probe_rows).values(due_at=_at(DUE_S)))


def _dues(conn: Connection) -> dict[str, datetime]:
    tables = (incident_rows, attempt_rows, held_alarms, probe_rows)
    return {row[0]: row[1] for table in tables for row in conn.execute(select(table.c.id, table.c.due_at))}


@pytest_asyncio.fixture
async def filled(registry: Registry) -> Registry:
    await registry.write(_fill)
    return registry


async def test_set_forward_everything_keeps_the_time_that_it_had_left(filled: Registry) -> None:
    moved = await filled.write(partial(clock_jumps.move, before=NOW, by=HOUR, boot=1))
    later = _at(DUE_S) + HOUR
    assert await filled.read(_dues) == {"i-1": later, "i-2": _at(-1), "a-1": later, "h-1": later, "p-1": later}
    assert moved == 4


async def test_what_was_written_after_the_jump_stays(filled: Registry) -> None:
    """Another process has followed the clock already."""
    after = _at(30) + HOUR

    def follow(conn: Connection) -> None:
        found = incidents.load(conn, ["i-1"])
        incidents.change(conn, [(found["i-1"], {"due_at": after, "due_set_at": NOW + HOUR})])

    await filled.write(follow)
    await filled.write(partial(clock_jumps.move, before=NOW, by=HOUR, boot=1))
    assert (await filled.read(_dues))["i-1"] == after


async def test_two_processes_of_one_machine_move_it_once(filled: Registry) -> None:
    await filled.write(partial(clock_jumps.move, before=NOW, by=HOUR, boot=1))
    second = partial(clock_jumps.move, before=_at(0.4), by=HOUR - timedelta(seconds=0.2), boot=2)
    assert await filled.write(second) is None
    assert (await filled.read(_dues))["a-1"] == _at(DUE_S) + HOUR
    again = partial(clock_jumps.move, before=_at(7200), by=HOUR, boot=2)
    assert await filled.write(again) is not None, "another jump is another one"


async def test_set_back_while_nothing_ran_everything_is_as_near_as_it_was(filled: Registry) -> None:
    now = NOW - HOUR
    await filled.write(partial(clock_jumps.move_back, now=now, by=HOUR, boot=1))
    soon = now + timedelta(seconds=DUE_S)
    assert await filled.read(_dues) == {"i-1": soon, "i-2": now, "a-1": soon, "h-1": soon, "p-1": soon}


async def test_set_back_and_a_little_forward_again_it_moves_both_times(filled: Registry) -> None:
    """What was written before the first jump lies in the future of the second: it is no other process's newer word."""
    now = NOW - HOUR
    await filled.write(partial(clock_jumps.move_back, now=now, by=HOUR, boot=1))
    await filled.write(partial(clock_jumps.move, before=now, by=timedelta(seconds=3), boot=1))
    soon = now + timedelta(seconds=DUE_S + 3)
    dues = await filled.read(_dues)
    assert {dues[key] for key in ("i-1", "a-1", "h-1", "p-1")} == {soon}


class _Hands(SystemClock):
    wall, mono = NOW, 0.0

    def now(self) -> datetime:
        return self.wall

    def monotonic(self) -> float:
        return self.mono

    def slept(self) -> float:
        return 0.0


async def test_our_clock_follows_only_with_what_was_committed(filled: Registry) -> None:
    """While nothing can be written, nothing comes early: our own clock goes on as before."""
    hands = _Hands()
    clock = ForwardClock(hands)
    jumps = Jumps(filled.database, clock, 1, leads=True)
    await filled.write(_drop)
    hands.wall += HOUR
    with pytest.raises(SQLAlchemyError):
        await jumps.look()
    assert (clock.now(), clock.jumped()) == (NOW, HOUR)


def _drop(conn: Connection) -> None:
    """The last table that would be moved is gone."""
    conn.execute(text(f"DROP TABLE {MOVED[-1].table.name}"))


async def test_who_does_not_lead_follows_and_moves_nothing(filled: Registry) -> None:
    hands = _Hands()
    clock = ForwardClock(hands)
    hands.wall += HOUR
    await Jumps(filled.database, clock, 1, leads=False).look()
    assert (clock.now(), clock.jumped()) == (NOW + HOUR, timedelta(0))
    assert (await filled.read(_dues))["a-1"] == _at(DUE_S)


def test_every_wait_in_seconds_is_among_them() -> None:
    moved = {durable.table.name for durable in MOVED}
    assert {"incidents", "attempts", "held_alarms", "probes", "commands"} <= moved
