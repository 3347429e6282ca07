"""Queries on one open incident for the contacts of the households it concerns. Never writes, never names anybody."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from alerting.core.model import Overlay, Purpose
from alerting.store.tables import incident_overlays, incidents, notifications
from alerting.store.views import Sight
from devices.model import PlaceKind
from devices.store.scope import EVERYTHING, SEPARATOR, Scope
from devices.store.tables import places

_LEVELS = tuple(PlaceKind)
_SMALL = _LEVELS[_LEVELS.index(PlaceKind.COMPOUND) :]
"""A place above a compound is too large to be an incident's surroundings."""


@dataclass(frozen=True, slots=True)
class Burning:
    """An incident: where it is, which part of the tree it concerns, whether it is over or never was real."""

    path: str | None
    around: str | None
    """The path of its building; without a building, of its own place; None: unknown, or too large."""
    closed: bool
    pretended: bool
    """A test or a drill."""
    within: Scope
    """What of `around` may be seen: a worker who was asked to go sees it all."""


def burning(conn: Connection, incident_id: str, sight: Sight) -> Burning | None:
    """None: there is none, or none in this sight. A worker must have been asked to go, or go."""
    query = select(incidents.c.closed_at, incidents.c.taken_by, places.c.path, places.c.kind).select_from(
        incidents.outerjoin(places, places.c.id == incidents.c.place_id)
    )
    row = conn.execute(query.where(incidents.c.id == incident_id)).first()
    if row is None:
        return None
    closed_at, taken_by, path, kind = row
    who = sight.person_id
    goes = bool(who) and (taken_by == who or _asked(conn, incident_id, who))
    if not (goes or sight.scope.covers(path)):
        return None
    small = kind is not None and PlaceKind(kind) in _SMALL
    around = _building(conn, path) or path if small else None
    within = EVERYTHING if goes else sight.scope
    return Burning(path, around, closed_at is not None, _pretended(conn, incident_id), within)


def _asked(conn: Connection, incident_id: str, person_id: str | None) -> bool:
    query = select(notifications.c.id).where(
        notifications.c.incident_id == incident_id,
        notifications.c.recipient_id == person_id,
        notifications.c.purpose.in_([each.value for each in Purpose if each.asks]),
    )
    return conn.execute(query.limit(1)).first() is not None


def names(conn: Connection, ids: Sequence[str]) -> dict[str, tuple[PlaceKind, str]]:
    """Kind and name of these places."""
    query = select(places.c.id, places.c.kind, places.c.name).where(places.c.id.in_(ids))
    return {id_: (PlaceKind(kind), name) for id_, kind, name in conn.execute(query)}


def _building(conn: Connection, path: str) -> str | None:
    """The path of the nearest building at or above the end of a path."""
    query = select(places.c.path).where(
        places.c.id.in_(path.split(SEPARATOR)), places.c.kind == PlaceKind.BUILDING.value
    )
    return max(conn.scalars(query), key=len, default=None)


def _pretended(conn: Connection, incident_id: str) -> bool:
    table = incident_overlays.c
    query = select(table.kind).where(
        table.incident_id == incident_id, table.kind.in_((Overlay.TEST.value, Overlay.DRILL.value))
    )
    return conn.execute(query).first() is not None
