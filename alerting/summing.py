"""Summaries whose minute has come, and pages whose morning has, in one transaction. Never decides, never sends."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from sqlalchemy import Connection

from alerting import restraining
from alerting.core.decisions import Decision, Notify
from alerting.core.model import Incident
from alerting.core.restraint import SummaryKey, summary_every_s
from alerting.core.summaries import matters, night_over, sum_up, worst_of
from alerting.core.world import World
from alerting.deciding import Deciding
from alerting.ports import Clock, Ids
from alerting.store import incidents, notifications, restraint
from alerting.writing import Written

summaries_most = 50
"""In one transaction: the writer is never held long."""


class Summing:
    def __init__(self, deciding: Deciding, clock: Clock, ids: Ids) -> None:
        self._deciding = deciding
        self._clock = clock
        self._ids = ids

    def due(self, conn: Connection) -> bool:
        """Anything to do now? Mostly not."""
        return restraint.any_due(conn, self._clock.now())

    def look(self, conn: Connection) -> Written:
        """Send what is due. Incidents are locked first, as everywhere."""
        now = self._clock.now()
        keys = restraint.due_keys(conn, now, summaries_most)
        withheld = restraint.withheld_ids(conn, now, summaries_most)
        known = incidents.load(conn, {*withheld, *restraint.incidents_of(conn, keys)})
        world = self._deciding.world_of(
            conn,
            list(known.values()),
            people={key.recipient_id for key in keys},
            place_ids={key.building_id for key in keys},
        )
        made = self._morning(conn, withheld, known, world)
        for key in sorted(keys):
            made.extend(self._summary(conn, key, known, world))
        return self._deciding.carry_out(conn, world, made, known)

    def _morning(
        self, conn: Connection, withheld: Sequence[str], known: Mapping[str, Incident], world: World
    ) -> list[Decision]:
        taken = sorted(restraint.take_withheld(conn, withheld, world.now) & known.keys())
        if not taken:
            return []
        paged = notifications.paged(conn, taken)
        made = [each for id_ in taken for each in night_over(known[id_], paged.get(id_, ()), world)]
        return restraining.restrained(conn, self._ids, world, made, known, paged)

    def _summary(self, conn: Connection, key: SummaryKey, known: Mapping[str, Incident], world: World) -> list[Notify]:
        row = restraint.take(conn, key, world.now)
        if row is None:
            return []
        restraint.take_back(conn, row)
        folded = restraint.untold(conn, key)
        declined = restraint.declined(conn, {each.incident_id for each in folded})
        said = matters(key, folded, known, declined)
        notice = None
        if said:
            worst = worst_of(said, known)
            speaking = restraint.speaking(conn, key.building_id, worst.cls)
            notice = sum_up(key, said, known, speaking, world)
        gap_end = world.now + timedelta(seconds=summary_every_s[key.channel])
        restraint.told(conn, row, world.now, notice, gap_end)
        return [] if notice is None else [notice]
