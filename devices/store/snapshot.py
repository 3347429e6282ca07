"""The registry as one batch, or the emergency copy, needs it: set queries, never one per device. Never decides."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, or_, select, union_all

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
    Role,
    Shift,
)
from devices.resolve import RegistrySnapshot
from devices.store.lists import joined_lines, one_of
from devices.store.tables import contact_points, devices, grid_places, people, places, shifts
from devices.store.types import Instant

_Row = Row[*tuple[Any, ...]]

_KINDS = {kind.value: kind for kind in PlaceKind}
_STATES = {state.value: state for state in DeviceState}
_ROLES = {role.value: role for role in Role}
_CHANNELS = {channel.value: channel for channel in Channel}
_LANGUAGES = {language.value: language for language in Language}
_PERSON_KINDS = {kind.value: kind for kind in PersonKind}

ROWS_AT_ONCE = 5_000
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
_DEVICES = (
    _ALL_DEVICES.add_columns(places.c.path)
    .select_from(devices.outerjoin(places, places.c.id == devices.c.place_id))
    .where(one_of(devices.c.id, "device_ids"))
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
_PLACES_AND_GRIDS = places.outerjoin(grid_places, grid_places.c.place_id == places.c.id)
_PLACES = select(*_PLACE_COLUMNS).select_from(_PLACES_AND_GRIDS).where(one_of(places.c.id, "place_ids"))
_ALL_PLACES = select(*_PLACE_COLUMNS, places.c.path).select_from(_PLACES_AND_GRIDS)

_CONTACTS = (  # one text per person instead of a row per contact point: "<id> <channel> <address>" per line
    select(joined_lines(contact_points.c.id + " " + contact_points.c.channel + " " + contact_points.c.address))
    .where(contact_points.c.person_id == people.c.id, contact_points.c.opted_out_at.is_(None))
    .correlate(people)
    .scalar_subquery()
)
_PERSON = (people.c.id, people.c.kind, people.c.name, people.c.name_en, people.c.language, _CONTACTS)
_NOT_LEFT = or_(people.c.left_at.is_(None), people.c.left_at > _NOW)
_PEOPLE = select(*_PERSON).where(one_of(people.c.id, "people_ids"), _NOT_LEFT)
_ALL_DUTY = (
    select(
        shifts.c.id,
        shifts.c.role,
        shifts.c.person_id,
        shifts.c.grid_id,
        shifts.c.place_id,
        shifts.c.starts_at,
        shifts.c.ends_at,
        shifts.c.rank,
        *_PERSON,
    )
    .select_from(shifts.join(people, people.c.id == shifts.c.person_id))
    .where(_NOT_LEFT, or_(shifts.c.ends_at.is_(None), shifts.c.ends_at > _NOW))
    .order_by(shifts.c.id)
)
_DUTY = _ALL_DUTY.where(
    or_(shifts.c.starts_at.is_(None), shifts.c.starts_at <= _NOW),
    shifts.c.id.in_(
        union_all(  # not one OR: SQLite would read every shift for it
            select(shifts.c.id).where(one_of(shifts.c.grid_id, "grid_ids")),
            select(shifts.c.id).where(one_of(shifts.c.place_id, "place_ids")),
            select(shifts.c.id).where(shifts.c.grid_id.is_(None), shifts.c.place_id.is_(None)),
        )
    ),
)


def load(
    conn: Connection,
    device_ids: Iterable[str],
    now: datetime,
    *,
    place_ids: Iterable[str] = (),
    grid_ids: Iterable[str] = (),
    people_ids: Iterable[str] = (),
) -> RegistrySnapshot:
    """What placing these devices and asking their duty at `now` takes: three to five set queries.

    `place_ids` and `grid_ids` (of open incidents) and `people_ids` (of those already asked) are loaded with them, even
    where no device or shift leads there any more. Only shifts that cover `now` are in it. Unknown ids are left out.
    """
    rows = conn.execute(_DEVICES, {"device_ids": list(device_ids)}).fetchall()
    paths = {row[7] for row in rows if row[7] is not None}
    if wanted := list(place_ids):
        paths.update(row[0] for row in conn.execute(_PATHS, {"place_ids": wanted}))
    path_of = _paths(paths)
    on_paths = list(path_of)
    place_rows = conn.execute(_PLACES, {"place_ids": on_paths}).fetchall() if on_paths else ()
    found_places = {row[0]: Place(row[0], _KINDS[row[1]], *row[2:4], path_of[row[0]], *row[4:6]) for row in place_rows}
    grid_of_place = {row[0]: row[6] for row in place_rows if row[6] is not None}
    grids = list({*grid_of_place.values(), *grid_ids})
    duty = conn.execute(_DUTY, {"grid_ids": grids, "place_ids": on_paths, "now": now}).fetchall()
    persons: dict[str, Person] = {}
    if asked := list(people_ids):
        found_people = conn.execute(_PEOPLE, {"people_ids": asked, "now": now})
        persons = {row[0]: _person(row) for row in found_people}
    return _snapshot({row[0]: _device(row) for row in rows}, found_places, grid_of_place, persons, duty)


def load_all(conn: Connection, now: datetime) -> RegistrySnapshot:
    """The whole registry, for the copy that answers while the database cannot: shifts that end after `now` included."""
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
    duty = conn.execute(_ALL_DUTY, {"now": now}).fetchall()
    return _snapshot(found, found_places, grid_of_place, {}, duty)


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


def _person(columns: Sequence[Any]) -> Person:
    """From the columns of `_PERSON`; contacts in the order in which they were entered."""
    id_, kind, name, name_en, language, contacts = columns
    lines = sorted(contacts.split("\n")) if contacts else ()
    points = []
    for line in lines:
        _, channel, address = line.split(" ", 2)
        points.append(ContactPoint(_CHANNELS[channel], address))
    return Person(id_, _PERSON_KINDS[kind], name, name_en, _LANGUAGES[language], tuple(points))


def _snapshot(
    found: Mapping[str, Device],
    found_places: Mapping[str, Place],
    grid_of_place: Mapping[str, str],
    persons: Mapping[str, Person],
    duty: Sequence[_Row],
) -> RegistrySnapshot:
    by_grid: dict[str, list[Shift]] = {}
    by_place: dict[str, list[Shift]] = {}
    everywhere: list[Shift] = []
    on_shift: dict[str, Person] = {}
    for row in duty:
        id_, role, person_id, grid_id, place_id, starts_at, ends_at, rank = row[:8]
        shift = Shift(id_, _ROLES[role], person_id, grid_id, place_id, starts_at, ends_at, rank)
        if person_id not in on_shift:
            on_shift[person_id] = _person(row[8:])
        if grid_id is not None:
            by_grid.setdefault(grid_id, []).append(shift)
        if place_id is not None:
            by_place.setdefault(place_id, []).append(shift)
        if grid_id is None and place_id is None:
            everywhere.append(shift)
    return RegistrySnapshot(
        devices=found,
        places=found_places,
        grid_of_place=grid_of_place,
        people={**persons, **on_shift},
        shifts_by_grid={key: tuple(value) for key, value in by_grid.items()},
        shifts_by_place={key: tuple(value) for key, value in by_place.items()},
        shifts_global=tuple(everywhere),
    )
