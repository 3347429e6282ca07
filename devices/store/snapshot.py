"""The registry as one batch, or the emergency copy, needs it: set queries, never one per device. Never decides."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, case, or_, select

from devices.duty.plan import Leave, RegistrySnapshot
from devices.model import (
    Channel,
    ContactPoint,
    Device,
    DeviceState,
    Language,
    Person,
    PersonKind,
    Place,
    PlaceKind,
    Shift,
)
from devices.store import duty_rows
from devices.store.duty_rows import DutyRows
from devices.store.lists import joined_lines, one_of
from devices.store.tables import contact_points, devices, grid_places, people, places, shifts
from devices.store.tables_duty import grid_members, overrides, pattern_slots
from devices.store.types import Instant

_Row = Row[*tuple[Any, ...]]

_KINDS = {kind.value: kind for kind in PlaceKind}
_STATES = {state.value: state for state in DeviceState}
_CHANNELS = {channel.value: channel for channel in Channel}
_LANGUAGES = {language.value: language for language in Language}
_PERSON_KINDS = {kind.value: kind for kind in PersonKind}

ROWS_AT_ONCE = 5_000
TIMEZONE = "Asia/Shanghai"
FOR_EVER = datetime(9000, 1, 1, tzinfo=UTC)
_NOW = bindparam("now", type_=Instant())

_ALL_DEVICES = select(
    devices.c.id,
    devices.c.kind,
    devices.c.place_id,
    devices.c.state,
    devices.c.codec,
    devices.c.test_mode_until,
    devices.c.supervision_window_s,
)
_PATHS = select(places.c.path).where(one_of(places.c.id, "place_ids"))

_PLACE_COLUMNS = (
    places.c.id,
    places.c.kind,
    places.c.name,
    places.c.name_en,
    places.c.lat,
    places.c.lon,
    grid_places.c.grid_id,
)
_DEVICES = (  # with its own place, which is read for the path anyhow
    _ALL_DEVICES.add_columns(places.c.path, *_PLACE_COLUMNS)
    .select_from(
        devices.outerjoin(places, places.c.id == devices.c.place_id).outerjoin(
            grid_places, grid_places.c.place_id == places.c.id
        )
    )
    .where(one_of(devices.c.id, "device_ids"))
)
_PLACES_AND_GRIDS = places.outerjoin(grid_places, grid_places.c.place_id == places.c.id)
_PLACES = select(*_PLACE_COLUMNS).select_from(_PLACES_AND_GRIDS).where(one_of(places.c.id, "place_ids"))
_ALL_PLACES = select(*_PLACE_COLUMNS, places.c.path).select_from(_PLACES_AND_GRIDS)

_MARKED_LAST = case((contact_points.c.unreachable_since.is_(None), "0"), else_="1")
_CONTACTS = (  # one text per person instead of a row per contact point: "<mark><id> <channel> <address>" per line
    select(
        joined_lines(
            _MARKED_LAST + contact_points.c.id + " " + contact_points.c.channel + " " + contact_points.c.address
        )
    )
    .where(contact_points.c.person_id == people.c.id, contact_points.c.opted_out_at.is_(None))
    .correlate(people)
    .scalar_subquery()
)
_PERSON = (
    people.c.id,
    people.c.kind,
    people.c.name,
    people.c.name_en,
    people.c.language,
    people.c.left_at,
    people.c.hours_from,
    people.c.hours_to,
    people.c.night_calls_consent_at,
    _CONTACTS,
)
_NOT_LEFT = and_(  # nor of a household: who stands on duty is none of them
    or_(people.c.left_at.is_(None), people.c.left_at > _NOW), people.c.kind != PersonKind.HOUSEHOLD.value
)
_PEOPLE = select(*_PERSON).where(one_of(people.c.id, "people_ids"), _NOT_LEFT)
_SAID_SO = or_(
    *(
        people.c.id.in_(select(column))
        for column in (
            shifts.c.person_id,
            grid_members.c.person_id,
            pattern_slots.c.person_id,
            overrides.c.person_id,
            overrides.c.replaces_id,
        )
    )
)
_ALL_PEOPLE = select(*_PERSON).where(_NOT_LEFT, _SAID_SO)


def load(
    conn: Connection,
    device_ids: Iterable[str],
    now: datetime,
    *,
    place_ids: Iterable[str] = (),
    grid_ids: Iterable[str] = (),
    people_ids: Iterable[str] = (),
    until: datetime | None = None,
    timezone: str = TIMEZONE,
    neighbours: bool = True,
) -> RegistrySnapshot:
    """What placing these devices and asking their duty at `now` (or from `now` up to `until`) takes: five set queries.

    `place_ids` and `grid_ids` (of open incidents) and `people_ids` (of those already asked) are loaded with them, even
    where no device or shift leads there any more. Unknown ids are left out. `timezone`: of the deployment.
    `neighbours` False leaves the duty of neighbouring grids to `with_neighbours`: the step is seldom asked.
    """
    found, path_of, near = devices_and_paths(conn, device_ids, place_ids)
    above = places_of(conn, {id_: path for id_, path in path_of.items() if id_ not in near.places})
    found_places, grid_of_place = {**above.places, **near.places}, {**above.grid_of_place, **near.grid_of_place}
    end = now if until is None else until
    duty = duty_rows.of(conn, {*grid_of_place.values(), *grid_ids}, path_of, now, end)
    persons = people_of(conn, duty.people.union(people_ids), now)
    away = duty_rows.away(conn, now, end, persons) if persons else {}
    told = _snapshot(found, found_places, grid_of_place, persons, duty, away, timezone)
    return with_neighbours(conn, told, now, until) if neighbours else told


@dataclass(frozen=True, slots=True)
class FoundPlaces:
    """Some places, and the grids of those that one covers."""

    places: dict[str, Place]
    grid_of_place: dict[str, str]


def devices_and_paths(
    conn: Connection, device_ids: Iterable[str], place_ids: Iterable[str]
) -> tuple[dict[str, Device], dict[str, tuple[str, ...]], FoundPlaces]:
    """These devices, each place on the way to them and to these places with its path, and the devices' own places."""
    rows = conn.execute(_DEVICES, {"device_ids": list(device_ids)}).fetchall()
    paths = {row[7] for row in rows if row[7] is not None}
    if wanted := list(place_ids):
        paths.update(row[0] for row in conn.execute(_PATHS, {"place_ids": wanted}))
    path_of = _paths(paths)
    own = _places((row[8:] for row in rows if row[7] is not None), path_of)
    return {row[0]: _device(row) for row in rows}, path_of, own


def places_of(conn: Connection, path_of: Mapping[str, tuple[str, ...]]) -> FoundPlaces:
    """The places of these ids."""
    return _places(conn.execute(_PLACES, {"place_ids": list(path_of)}) if path_of else (), path_of)


def _places(rows: Iterable[Sequence[Any]], path_of: Mapping[str, tuple[str, ...]]) -> FoundPlaces:
    """From the columns of `_PLACE_COLUMNS`."""
    found: dict[str, Place] = {}
    grid_of_place: dict[str, str] = {}
    for id_, kind, name, name_en, lat, lon, grid_id in rows:
        found[id_] = Place(id_, _KINDS[kind], name, name_en, path_of[id_], lat, lon)
        if grid_id is not None:
            grid_of_place[id_] = grid_id
    return FoundPlaces(found, grid_of_place)


def people_of(conn: Connection, people_ids: Collection[str], now: datetime) -> dict[str, Person]:
    """Those of them who have not left, with their contacts."""
    return _people(conn.execute(_PEOPLE, {"people_ids": list(people_ids), "now": now})) if people_ids else {}


def with_neighbours(
    conn: Connection, found: RegistrySnapshot, now: datetime, until: datetime | None = None
) -> RegistrySnapshot:
    """The same with the duty of the neighbours of its grids."""
    near = {grid_id for grids in found.neighbours.values() for grid_id in grids}
    near -= found.members.keys() | found.shifts_by_grid.keys() | found.planned_by_grid.keys()
    if not near:
        return found
    more = load(conn, (), now, grid_ids=near, until=until, timezone=found.timezone, neighbours=False)
    return replace(
        found,
        people={**more.people, **found.people},
        shifts_by_grid={**more.shifts_by_grid, **found.shifts_by_grid},
        planned_by_grid={**more.planned_by_grid, **found.planned_by_grid},
        members={**more.members, **found.members},
        leaves={**more.leaves, **found.leaves},
    )


def load_all(conn: Connection, now: datetime, *, timezone: str = TIMEZONE) -> RegistrySnapshot:
    """The whole registry, for the copy that answers while the database cannot: all that ends after `now` included."""
    stream = conn.execution_options(yield_per=ROWS_AT_ONCE)
    found_places, grid_of_place = _all_places(stream.execute(_ALL_PLACES))
    own = {id_: id_ for id_ in found_places}
    words: dict[str, str] = {}
    found: dict[str, Device] = {}
    for row in stream.execute(_ALL_DEVICES):
        kind = words.setdefault(row[1], row[1])
        codec = words.setdefault(row[4], row[4])
        place_id = own.get(row[2])
        found[row[0]] = Device(row[0], kind, place_id, _STATES[row[3]], codec, row[5], row[6])
    duty = duty_rows.of_all(conn, now, FOR_EVER)
    named = duty.people
    persons = {id_: who for id_, who in _people(conn.execute(_ALL_PEOPLE, {"now": now})).items() if id_ in named}
    away = duty_rows.away(conn, now, FOR_EVER, None)
    return _snapshot(found, found_places, grid_of_place, persons, duty, away, timezone)


def _device(row: _Row) -> Device:
    return Device(row[0], row[1], row[2], _STATES[row[3]], row[4], row[5], row[6])


def _paths(paths: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Every place on these paths with its own path; each id once in memory."""
    path_of: dict[str, tuple[str, ...]] = {}
    for path in paths:
        ids = tuple(path.split("/"))
        for depth, id_ in enumerate(ids, 1):
            if id_ not in path_of:
                path_of[id_] = ids[:depth]
    return path_of


def _all_places(rows: Iterable[_Row]) -> tuple[dict[str, Place], dict[str, str]]:
    """Ids and names are shared between the places that repeat them: half the memory of a large tree."""
    found: dict[str, Place] = {}
    grid_of_place: dict[str, str] = {}
    texts: dict[str, str] = {}
    share = texts.setdefault
    for id_, kind, name, name_en, lat, lon, grid_id, path in rows:
        ids = tuple([share(part, part) for part in path.split("/")])
        own = ids[-1]
        assert own == id_, "a path ends with its own place"
        found[own] = Place(own, _KINDS[kind], share(name, name), share(name_en, name_en), ids, lat, lon)
        if grid_id is not None:
            grid_of_place[own] = share(grid_id, grid_id)
    return found, grid_of_place


def _people(rows: Iterable[_Row]) -> dict[str, Person]:
    return {row[0]: _person(row) for row in rows}


def _person(columns: Sequence[Any]) -> Person:
    """From the columns of `_PERSON`; contacts in the order in which they were entered; last those that a carrier says
    cannot be reached: they are still tried."""
    id_, kind, name, name_en, language, left_at, hours_from, hours_to, night_calls, contacts = columns
    lines = sorted(contacts.split("\n")) if contacts else ()
    points = []
    for line in lines:
        _, channel, address = line.split(" ", 2)
        points.append(ContactPoint(_CHANNELS[channel], address))
    hours = None if hours_from is None or hours_to is None else (hours_from, hours_to)
    return Person(
        id_,
        _PERSON_KINDS[kind],
        name,
        name_en,
        _LANGUAGES[language],
        tuple(points),
        left_at,
        hours,
        night_calls is not None,
    )


def _snapshot(
    found: Mapping[str, Device],
    found_places: Mapping[str, Place],
    grid_of_place: Mapping[str, str],
    persons: Mapping[str, Person],
    duty: DutyRows,
    away: Mapping[str, Sequence[Leave]],
    timezone: str,
) -> RegistrySnapshot:
    by_grid, by_place, everywhere = duty.scoped()
    return RegistrySnapshot(
        devices=found,
        places=found_places,
        grid_of_place=grid_of_place,
        people=persons,
        shifts_by_grid=_of_known(duty.shifts_by_grid, persons),
        shifts_by_place=_of_known(duty.shifts_by_place, persons),
        shifts_global=tuple(shift for shift in duty.shifts_global if shift.person_id in persons),
        planned_by_grid=by_grid,
        planned_by_place=by_place,
        planned_global=everywhere,
        members=duty.members_in_order(),
        neighbours=duty.neighbours,
        night_rules=duty.night_rules,
        leaves={person_id: tuple(leaves) for person_id, leaves in away.items() if person_id in persons},
        timezone=timezone,
    )


def _of_known(shifts_: Mapping[str, Sequence[Shift]], persons: Mapping[str, Person]) -> dict[str, tuple[Shift, ...]]:
    """Without those of people who have left; a grid or place that is left with none is not named."""
    kept = {key: tuple(each for each in value if each.person_id in persons) for key, value in shifts_.items()}
    return {key: value for key, value in kept.items() if value}
