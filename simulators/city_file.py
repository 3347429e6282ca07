"""Reads a city, the registry's values, from a TOML file and says which row is wrong. Never stores or sends them."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from msgspec import Struct, ValidationError, convert

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
from simulators.kinds import KINDS

CITY_FOLDER = Path(__file__).parent / "city"
_ID = re.compile(r"[A-Za-z0-9_-]{2,36}")
_DEVICE_ID = re.compile(r"[A-Za-z0-9_-]{4,64}")
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_LATIN = re.compile(r"[A-Za-z0-9 .,'/&-]{1,32}")


class CityError(Exception):
    """One sentence: which table, which row, what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Grid:
    """A grid 网格: the places its workers answer for, with everything below them."""

    id: str
    name: str
    name_en: str
    community_id: str | None
    place_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class City:
    """Everything the registry needs to know. Places stand parents first."""

    name: str
    name_en: str
    places: tuple[Place, ...]
    grids: tuple[Grid, ...]
    people: tuple[Person, ...]
    shifts: tuple[Shift, ...]
    devices: tuple[Device, ...]

    def device(self, device_id: str) -> Device:
        """The device of this id; KeyError if there is none."""
        return {device.id: device for device in self.devices}[device_id]

    def person(self, person_id: str) -> Person:
        """The person of this id; KeyError if there is none."""
        return {person.id: person for person in self.people}[person_id]


class _Row(Struct, forbid_unknown_fields=True, frozen=True):
    id: str


class _PlaceRow(_Row, frozen=True):
    kind: PlaceKind
    name: str
    name_en: str
    parent: str | None = None
    lat: float | None = None
    lon: float | None = None


class _GridRow(_Row, frozen=True):
    name: str
    name_en: str
    covers: list[str]
    community: str | None = None


class _PersonRow(_Row, frozen=True):
    kind: PersonKind
    name: str
    name_en: str
    language: Language
    phone: str | None = None
    app: bool = False


class _ShiftRow(_Row, frozen=True):
    role: Role
    person: str
    grid: str | None = None
    place: str | None = None
    rank: int = 0


class _DeviceRow(_Row, frozen=True):
    kind: str
    place: str | None = None
    state: DeviceState = DeviceState.COMMISSIONED
    codec: str = "gengfu_plain"
    supervision_window_s: int | None = None


_AnyRow = TypeVar("_AnyRow", bound=_Row)


def load_city(name: str = "xinyang") -> City:
    """A city that comes with the product, by name. CityError if there is none or a row of it is wrong."""
    path = CITY_FOLDER / f"{name}.toml"
    if not path.is_file():
        known = ", ".join(sorted(each.stem for each in CITY_FOLDER.glob("*.toml")))
        raise CityError(f"there is no city {name!r}; there is: {known}")
    return read_city(path.read_text(encoding="utf-8"))


def read_city(text: str) -> City:
    """A city from the text of a TOML file. CityError names the table and row at fault."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as fault:
        raise CityError(f"not TOML: {fault}") from None
    unknown = set(tables) - {"name", "name_en", "places", "grids", "people", "shifts", "devices"}
    if unknown:
        raise CityError(f"unknown table {sorted(unknown)[0]!r}")
    places = _places(_rows(tables, "places", _PlaceRow))
    known = {place.id for place in places}
    grids = _grids(_rows(tables, "grids", _GridRow), known)
    people = _people(_rows(tables, "people", _PersonRow))
    return City(
        str(tables.get("name", "")),
        str(tables.get("name_en", "")),
        places,
        grids,
        people,
        _shifts(_rows(tables, "shifts", _ShiftRow), known, grids, people),
        _devices(_rows(tables, "devices", _DeviceRow), known),
    )


def _rows(tables: Mapping[str, Any], table: str, row_type: type[_AnyRow]) -> list[_AnyRow]:
    """The rows of one table, each of the right shape and with an id of its own."""
    raw = tables.get(table, [])
    if not isinstance(raw, list):
        raise CityError(f"{table}: not a list of rows")
    rows: list[_AnyRow] = []
    seen: set[str] = set()
    for number, fields in enumerate(raw, start=1):
        name = fields.get("id", "without id") if isinstance(fields, dict) else "no table"
        try:
            row = convert(fields, row_type)
        except ValidationError as fault:
            raise CityError(f"{table} row {number} ({name}): {fault}") from None
        pattern = _DEVICE_ID if table == "devices" else _ID
        _require(pattern.fullmatch(row.id) is not None, table, name, f"an id matches {pattern.pattern}")
        _require(row.id not in seen, table, name, "this id stands twice")
        seen.add(row.id)
        rows.append(row)
    return rows


def _require(fact: bool, table: str, row_id: str, sentence: str) -> None:
    if not fact:
        raise CityError(f"{table} row {row_id}: {sentence}")


def _check_names(table: str, rows: Iterable[_PlaceRow | _GridRow | _PersonRow]) -> None:
    for row in rows:
        _require(0 < len(row.name) <= 64, table, row.id, "name has 1 to 64 characters")
        _require(_LATIN.fullmatch(row.name_en) is not None, table, row.id, "name_en is short and Latin")


def _places(rows: list[_PlaceRow]) -> tuple[Place, ...]:
    """Parents first; a place without a point of its own has its parent's."""
    _check_names("places", rows)
    made: dict[str, Place] = {}
    waiting = rows
    while waiting:
        ready = [row for row in waiting if row.parent is None or row.parent in made]
        if not ready:
            raise CityError(f"places row {waiting[0].id}: parent {waiting[0].parent!r} does not exist or is below it")
        for row in ready:
            made[row.id] = _place(row, made.get(row.parent or ""))
        waiting = [row for row in waiting if row.id not in made]
    return tuple(made.values())


def _place(row: _PlaceRow, parent: Place | None) -> Place:
    _require((row.lat is None) == (row.lon is None), "places", row.id, "lat and lon come together")
    lat, lon = row.lat, row.lon
    if lat is None or lon is None:
        lat, lon = (parent.lat, parent.lon) if parent is not None else (None, None)
    in_range = lat is None or lon is None or (-90 <= lat <= 90 and -180 <= lon <= 180)
    _require(in_range, "places", row.id, "lat is -90 to 90 and lon -180 to 180 degrees")
    levels = list(PlaceKind)
    fits = parent is None or row.kind is PlaceKind.PART or levels.index(parent.kind) < levels.index(row.kind)
    _require(fits, "places", row.id, f"a {row.kind} cannot be below a {parent.kind if parent else ''}")
    path = (*parent.path, row.id) if parent is not None else (row.id,)
    return Place(row.id, row.kind, row.name, row.name_en, path, lat, lon)


def _grids(rows: list[_GridRow], places: set[str]) -> tuple[Grid, ...]:
    _check_names("grids", rows)
    covered: set[str] = set()
    for row in rows:
        for place in (*row.covers, *filter(None, [row.community])):
            _require(place in places, "grids", row.id, f"place {place!r} does not exist")
        for place in row.covers:
            _require(place not in covered, "grids", row.id, f"place {place!r} is covered twice")
            covered.add(place)
    return tuple(Grid(row.id, row.name, row.name_en, row.community, tuple(row.covers)) for row in rows)


def _people(rows: list[_PersonRow]) -> tuple[Person, ...]:
    _check_names("people", rows)
    phones: set[str] = set()
    for row in rows:
        if row.phone is not None:
            _require(_E164.fullmatch(row.phone) is not None, "people", row.id, f"{row.phone!r} is not E.164")
            _require(row.phone not in phones, "people", row.id, f"{row.phone} is somebody else's")
            phones.add(row.phone)
    return tuple(
        Person(row.id, row.kind, row.name, row.name_en, row.language, contacts(row.id, row.phone, row.app))
        for row in rows
    )


def contacts(person_id: str, phone: str | None, app: bool) -> tuple[ContactPoint, ...]:
    """One telephone takes texts and calls; the app is addressed by the person's own id."""
    points: list[ContactPoint] = []
    if phone is not None:
        points += [ContactPoint(Channel.SMS, phone), ContactPoint(Channel.VOICE, phone)]
    if app:
        points.append(ContactPoint(Channel.APP, person_id))
    return tuple(points)


def _shifts(
    rows: list[_ShiftRow], places: set[str], grids: tuple[Grid, ...], people: tuple[Person, ...]
) -> tuple[Shift, ...]:
    grid_ids = {grid.id for grid in grids}
    person_ids = {person.id for person in people}
    for row in rows:
        _require(row.person in person_ids, "shifts", row.id, f"person {row.person!r} does not exist")
        _require(row.grid is None or row.grid in grid_ids, "shifts", row.id, f"grid {row.grid!r} does not exist")
        _require(row.place is None or row.place in places, "shifts", row.id, f"place {row.place!r} does not exist")
        _require(row.grid is None or row.place is None, "shifts", row.id, "for a grid or a place, not both")
    return tuple(Shift(row.id, row.role, row.person, row.grid, row.place, None, None, row.rank) for row in rows)


def _devices(rows: list[_DeviceRow], places: set[str]) -> tuple[Device, ...]:
    for row in rows:
        _require(row.kind in KINDS, "devices", row.id, f"kind {row.kind!r} is none of {', '.join(KINDS)}")
        _require(row.place is None or row.place in places, "devices", row.id, f"place {row.place!r} does not exist")
    return tuple(
        Device(row.id, row.kind, row.place, row.state, row.codec, None, row.supervision_window_s) for row in rows
    )
