"""Drills in transactions: start, end, look after those that run. Never decides whom to ask: `core.drills` does.

What `Database.write` runs; `after` is called by whoever committed, on the event loop.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection

from alerting import interlocks
from alerting.core import drills as core
from alerting.core.drills import Order, Rehearsed
from alerting.core.model import Actor, Incident, Reason, Settings
from alerting.core.world import World
from alerting.deciding import Deciding
from alerting.ports import Clock
from alerting.store import drills as store
from alerting.store import incidents, notifications, policies
from alerting.store.drills import DrillRow, Standing
from alerting.writing import SYSTEM, Written
from devices.store import snapshot

TIMER = Actor(id=SYSTEM, name="更夫", via="timer")


class Refusal(StrEnum):
    """Why no drill begins."""

    RUNNING = "drill_running"
    REAL_ALARM = "drill_real_alarm"


@dataclass(frozen=True, slots=True)
class Refused:
    reason: Refusal
    reference: str = ""
    """Of the real alarm that stands in the way."""


class Drills:
    """`after`: what follows the commit of what these functions wrote."""

    def __init__(self, deciding: Deciding, clock: Clock, settings: Settings, after: Callable[[Written], None]) -> None:
        self._deciding = deciding
        self._clock = clock
        self._settings = settings
        self.after = after
        self.running = False
        """As this process saw it last: then a new incident is looked at once."""

    def start(self, conn: Connection, order: Order) -> tuple[DrillRow, Written] | Refused:
        """Open it and ask the first step, unless one runs in this grid or a real alarm is open there."""
        if store.running_in(conn, order.grid_id):
            return Refused(Refusal.RUNNING)
        real = store.alarm_in(conn, order.grid_id)
        if real is not None:
            return Refused(Refusal.REAL_ALARM, real)
        world = self._world(conn, order)
        row = DrillRow(
            id=order.id,
            incident_id=order.incident_id,
            grid_id=order.grid_id,
            place_id=order.place_id,
            code=order.code,
            note=order.note or None,
            started_at=world.now,
            ends_at=order.ends_at(world.now),
            started_by=order.by.id[:64],
            started_by_name=order.by.name[:64],
        )
        store.add(conn, row)
        made = core.start(order, world)
        made = [*made, *interlocks.ask(conn, made, (), world)]  # commands that a policy wants exercised
        written = self._deciding.carry_out(conn, world, made, {})
        earliest = written.next_due
        written.next_due = row.ends_at if earliest is None else min(earliest, row.ends_at)
        return row, written

    def rehearse(self, conn: Connection, order: Order) -> list[Rehearsed]:
        """Who would be asked with which words; nothing is written. Beside the writer, so never by its memory."""
        now, timezone = self._clock.now(), self._settings.timezone
        places, grids = (order.place_id,), (order.grid_id,)
        loaded = snapshot.load(conn, [], now, place_ids=places, grid_ids=grids, timezone=timezone)
        return core.rehearse(order, World(now, loaded, self._settings, policies.load(conn)))

    def end(self, conn: Connection, drill_id: str, actor: Actor, reason: Reason) -> Written | None:
        """End it with word to everybody who was asked; None where it has ended already."""
        found = store.get(conn, drill_id)
        if found is None or found.ended_at is not None:
            return None
        known = incidents.load(conn, [found.incident_id])
        if not store.finish(conn, drill_id, self._clock.now(), reason.value, actor.id):
            return None
        return self._close(conn, known, actor, reason)

    def _close(self, conn: Connection, known: dict[str, Incident], actor: Actor, reason: Reason) -> Written:
        """End an incident of a drill. `known`: it alone, locked; none where it is gone."""
        incident = next(iter(known.values()), None)
        if incident is None:
            return Written()
        paged = notifications.paged(conn, [incident.id]).get(incident.id, ())
        who = {page.recipient_id for page in paged}
        world = self._deciding.world_of(conn, [incident], people=who)
        return self._deciding.carry_out(conn, world, core.end(incident, actor, reason, paged, world), known)

    def due(self, conn: Connection) -> bool:
        """Is there a drill to end by now?"""
        if not store.any_running(conn):
            self.running = False
            return False
        self.running = True
        return any(self._why(each) is not None for each in store.running(conn))

    def look(self, conn: Connection) -> list[Written]:
        """End those whose time is over, whose incident is closed, or in whose grid a real alarm speaks."""
        written = []
        for each in store.running(conn):
            reason = self._why(each)
            if reason is None:
                continue
            if each.incident_id != each.drill.incident_id:
                written.append(self._close(conn, incidents.load(conn, [each.incident_id]), TIMER, reason))
                continue
            made = self.end(conn, each.drill.id, TIMER, reason)
            if made is not None:
                written.append(made)
        return written

    def _why(self, each: Standing) -> Reason | None:
        if each.closed:
            return Reason.CLOSED
        if each.real_alarm:
            return Reason.REAL_ALARM
        return Reason.DRILL_OVER if each.ends_at <= self._clock.now() else None

    def _world(self, conn: Connection, order: Order) -> World:
        """The place and duty of a drill, with the policies in force."""
        return self._deciding.world_of(conn, [], place_ids=(order.place_id,), grid_ids=(order.grid_id,))
