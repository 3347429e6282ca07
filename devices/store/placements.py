"""Queries on where a device hung and when, and on places in words. Rows are added and ended, never removed."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from devices.model import PlaceKind, PlacementReason
from devices.store.lists import one_of
from devices.store.scope import SEPARATOR
from devices.store.tables import places
from devices.store.tables_devices import device_placements

_T = device_placements.c
_PATHS = select(places.c.id, places.c.path).where(one_of(places.c.id, "ids"))
_NAMES = select(places.c.id, places.c.kind, places.c.name).where(one_of(places.c.id, "ids"))
_SPOKEN = frozenset(PlaceKind) - {PlaceKind.CITY, PlaceKind.DISTRICT, PlaceKind.STREET, PlaceKind.COMMUNITY}
"""Levels that people name when they say where a device hangs."""


@dataclass(frozen=True, slots=True)
class Stay:
    """From when to when a device was where; `place_id` None: nowhere."""

    place_id: str | None
    from_at: datetime
    to_at: datetime | None
    reason: PlacementReason


def begin(
    conn: Connection,
    device_id: str,
    place_id: str | None,
    now: datetime,
    reason: PlacementReason,
    before: tuple[str | None, datetime],
) -> None:
    """It is at this place from `now` on. `before`: where it was and since when it is known, for one without a row yet
    (a device registered at its place has none until it first moves)."""
    ended = conn.execute(
        update(device_placements).where(_T.device_id == device_id, _T.to_at.is_(None)).values(to_at=now)
    )
    if ended.rowcount == 0 and before[0] is not None:
        first = {"place_id": before[0], "from_at": before[1], "to_at": now, "reason": PlacementReason.PLACED.value}
        conn.execute(insert(device_placements).values(device_id=device_id, **first))
    conn.execute(
        insert(device_placements).values(device_id=device_id, place_id=place_id, from_at=now, reason=reason.value)
    )


def history(conn: Connection, device_id: str, place_id: str | None, since: datetime) -> list[Stay]:
    """Every stay, the first one first. `place_id` and `since`: of a device that never moved."""
    query = select(_T.place_id, _T.from_at, _T.to_at, _T.reason).where(_T.device_id == device_id).order_by(_T.id)
    stays = [Stay(place, from_at, to_at, PlacementReason(why)) for place, from_at, to_at, why in conn.execute(query)]
    if not stays and place_id is not None:
        return [Stay(place_id, since, None, PlacementReason.PLACED)]
    return stays


def words(conn: Connection, place_ids: Iterable[str]) -> dict[str, str]:
    """Each place as people say it: the names from the compound down (阳光花园 3号楼 301), verbatim."""
    wanted = list(place_ids)
    paths = {id_: path.split(SEPARATOR) for id_, path in conn.execute(_PATHS, {"ids": wanted})}
    above = list({id_ for path in paths.values() for id_ in path})
    names = {id_: (kind, name) for id_, kind, name in conn.execute(_NAMES, {"ids": above})}
    return {id_: _spoken([names[step] for step in path if step in names]) for id_, path in paths.items()}


def _spoken(names: list[tuple[str, str]]) -> str:
    """A place above the compounds has only its own name."""
    below = [name for kind, name in names if PlaceKind(kind) in _SPOKEN]
    return " ".join(below or [name for _, name in names[-1:]])
