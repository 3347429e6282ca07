"""What a decision needs besides, loaded only where it does: who goes, and what a hot device told. Decides nothing."""

from collections.abc import Iterable
from dataclasses import replace

from sqlalchemy import Connection

from alerting.core.charging import concerns
from alerting.core.model import Incident
from alerting.core.world import Told, World
from devices.store import seen
from devices.store.snapshot import people_of


def with_takers(conn: Connection, world: World) -> World:
    """With whoever goes, who may stand on no step that is asked now. Mostly everybody is known, and nothing is read."""
    going = {incident.taken_by for incident in world.open.values() if incident.answered and incident.taken_by}
    missing = going - world.snapshot.people.keys()
    found = people_of(conn, missing, world.now) if missing else {}
    if not found:
        return world
    return replace(world, snapshot=replace(world.snapshot, people={**world.snapshot.people, **found}))


def with_told(conn: Connection, world: World, incidents: Iterable[Incident]) -> World:
    """With what the devices of open incidents at charging points told last; nothing is read where there is none."""
    devices = {incident.device_id for incident in incidents if incident.device_id and concerns(incident)}
    if not devices:
        return world
    rows = seen.load(conn, devices).values()
    told = {row.device_id: Told(row.values, row.values_at) for row in rows if row.values and row.values_at}
    return replace(world, told=told)
