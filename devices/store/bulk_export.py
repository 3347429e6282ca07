"""The registry as rows of the sheets that an import reads: what was exported and imported into an empty database is
exported the same again. Never writes, and never yields a household's contacts.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, func, select

from devices.bulk.columns import LEVELS, Sheet
from devices.bulk.values import instant_text, night_text
from devices.model import PersonKind
from devices.store.bulk_references import PATH_SEPARATOR
from devices.store.bulk_tree import COMMUNITY, KIND_INDEX
from devices.store.lists import one_of
from devices.store.scope import SEPARATOR, Scope
from devices.store.tables import contact_points, devices, grid_places, grids, people, places, shifts
from devices.store.tables_devices import device_identities, device_models
from devices.store.tables_duty import grid_members, grid_neighbours
from devices.store.tables_places import compounds, organisations

ROWS_AT_ONCE = 5_000
_BEFORE_ALL = "\x01"
_ORDER = func.replace(places.c.path, SEPARATOR, _BEFORE_ALL)
"""Depth first, whatever characters the ids hold."""
_PLACES = (
    select(
        places.c.id,
        places.c.kind,
        places.c.name,
        places.c.path,
        places.c.code,
        places.c.name_en,
        places.c.lat,
        places.c.lon,
        devices.c.id,
        device_models.c.code,
        devices.c.kind,
        devices.c.state,
        device_models.c.dialect,
        devices.c.gateway_id,
    )
    .select_from(
        places.outerjoin(devices, devices.c.place_id == places.c.id).outerjoin(
            device_models, device_models.c.id == devices.c.model_id
        )
    )
    .order_by(_ORDER, devices.c.id)
    .execution_options(yield_per=ROWS_AT_ONCE)
)
_HOMELESS = (
    select(
        devices.c.id,
        device_models.c.code,
        devices.c.kind,
        devices.c.state,
        device_models.c.dialect,
        devices.c.gateway_id,
    )
    .select_from(devices.outerjoin(device_models, device_models.c.id == devices.c.model_id))
    .where(devices.c.place_id.is_(None))
    .order_by(devices.c.id)
)
_IDENTITIES = (
    select(device_identities.c.device_id, device_identities.c.dialect, device_identities.c.external_id)
    .where(one_of(device_identities.c.device_id, "ids"))
    .order_by(device_identities.c.external_id)
)
_ABOVE = select(places.c.id, places.c.kind, places.c.name).where(one_of(places.c.id, "ids"))
_COVERED = select(grid_places.c.place_id, grids.c.code).join(grids, grids.c.id == grid_places.c.grid_id)
_company, _supervising, _partner = (organisations.alias() for _ in range(3))
_COMPOUNDS = (
    select(
        compounds.c.place_id,
        compounds.c.type,
        _company.c.name,
        compounds.c.committee,
        _supervising.c.name,
        _partner.c.name,
    )
    .select_from(compounds)
    .outerjoin(_company, _company.c.id == compounds.c.property_company_id)
    .outerjoin(_supervising, _supervising.c.id == compounds.c.supervising_unit_id)
    .outerjoin(_partner, _partner.c.id == compounds.c.partner_unit_id)
)
"""In the order of the sheet: type, property company, committee, supervising unit, partner unit."""


@dataclass(frozen=True, slots=True)
class _Step:
    path: str
    kind: int
    name: str
    grid: str


@dataclass(slots=True)
class _Walk:
    """The way from the root to the place at hand, and what is known by place."""

    conn: Connection
    grid_of: dict[str, str]
    steps: list[_Step] = field(default_factory=list)

    def to(self, path: str, kind: int, name: str, id_: str) -> _Step:
        above = path.rpartition(SEPARATOR)[0]
        while self.steps and self.steps[-1].path != above:
            self.steps.pop()
        if above and not self.steps:
            self._begin(above)
        inherited = self.steps[-1].grid if self.steps else ""
        step = _Step(path, kind, name, self.grid_of.get(id_, inherited))
        self.steps.append(step)
        return step

    def levels(self) -> list[str]:
        cells = [""] * len(LEVELS)
        for step in self.steps:
            cells[step.kind] = step.name
        return cells

    def _begin(self, path: str) -> None:
        """What lies above a scope is named, nothing more."""
        ids = path.split(SEPARATOR)
        found = {id_: (kind, name) for id_, kind, name in self.conn.execute(_ABOVE, {"ids": ids})}
        grid = ""
        for depth, id_ in enumerate(ids):
            kind, name = found[id_]
            grid = self.grid_of.get(id_, grid)
            self.steps.append(_Step(SEPARATOR.join(ids[: depth + 1]), KIND_INDEX[kind], name, grid))


def rows(conn: Connection, sheet: Sheet, scope: Scope, phone: Callable[[str], str] = str) -> Iterator[list[str]]:
    """The rows of one sheet under its header, every column in its usual order, some thousands in memory at a time.
    `phone`: how a telephone number is shown."""
    match sheet:
        case Sheet.PLACES:
            return _place_rows(conn, scope)
        case Sheet.PEOPLE:
            return _people_rows(conn, scope, phone)
        case Sheet.GRIDS:
            return _grid_rows(conn, scope)
        case Sheet.SHIFTS:
            return _shift_rows(conn, scope)


def _place_rows(conn: Connection, scope: Scope) -> Iterator[list[str]]:
    walk = _Walk(conn, dict(conn.execute(_COVERED).all()))
    compound_of = {row[0]: [each or "" for each in row[1:]] for row in conn.execute(_COMPOUNDS)}
    pending: list[str] | None = None
    """The row of a place without devices: it is written when nothing below it would tell of it."""
    for part in conn.execute(_PLACES.where(scope.on_path(places.c.path))).partitions():
        identities = _identities(conn, [(row[8], row[12]) for row in part if row[8] is not None])
        for id_, kind, name, path, code, name_en, lat, lon, device, model, device_kind, state, _, gateway in part:
            again = bool(walk.steps) and walk.steps[-1].path == path
            step = walk.steps[-1] if again else walk.to(path, KIND_INDEX[kind], name, id_)
            if pending is not None and not (path.startswith(pending[-1] + SEPARATOR) and pending[-2] == ""):
                yield pending[:-2]
            pending = None
            own = ["", "", "", ""] if again else [name_en, code or "", _number(lat), _number(lon)]
            compound = [""] * 5 if again else compound_of.get(id_, [""] * 5)
            grid = step.grid if step.kind >= COMMUNITY else ""
            told = [device or "", model or ""]
            last = [device_kind or "", identities.get(device, ""), state or ""]
            row = [*walk.levels(), grid, *told, *own, *last, *compound, gateway or ""]
            if device is not None:
                yield row
            else:
                pending = [*row, "x" if any(own) or any(compound) else "", path]
    if pending is not None:
        yield pending[:-2]
    if scope.everything:
        yield from _homeless_rows(conn)


def _homeless_rows(conn: Connection) -> Iterator[list[str]]:
    """Devices that hang nowhere."""
    found = conn.execute(_HOMELESS).fetchall()
    identities = _identities(conn, [(row[0], row[4]) for row in found])
    for device, model, kind, state, _, gateway in found:
        told = [device, model or "", *[""] * 4, kind, identities.get(device, ""), state]
        yield [*[""] * (len(LEVELS) + 1), *told, *[""] * 5, gateway or ""]


def _identities(conn: Connection, devices_and_dialects: Sequence[tuple[str, str | None]]) -> dict[str, str]:
    """Device -> the identities that its model's senders know it by."""
    dialect_of = {device: dialect for device, dialect in devices_and_dialects if dialect}
    found: dict[str, list[str]] = {}
    if dialect_of:
        for device, dialect, external in conn.execute(_IDENTITIES, {"ids": list(dialect_of)}):
            if dialect == dialect_of[device]:
                found.setdefault(device, []).append(external)
    return {device: ";".join(external) for device, external in found.items()}


def _number(value: float | None) -> str:
    return "" if value is None else repr(value)


def _people_rows(conn: Connection, scope: Scope, shown: Callable[[str], str]) -> Iterator[list[str]]:
    p, c = people.c, contact_points.c
    contacts: dict[str, list[tuple[str, str]]] = {}
    for person_id, channel, address in conn.execute(select(c.person_id, c.channel, c.address).order_by(c.id)):
        contacts.setdefault(person_id, []).append((channel, address))
    whom = (p.id, p.code, p.name, p.name_en, p.kind, p.place_id, p.language)
    query = select(*whom, p.left_at, p.hours_from, p.hours_to, p.night_calls_consent_at)
    query = query.where(p.kind != PersonKind.HOUSEHOLD.value, scope.at_place(p.place_id)).order_by(p.code)
    found = conn.execute(query).fetchall()
    where = references(conn, {row[5] for row in found if row[5]})
    for id_, code, name, name_en, kind, place_id, language, left_at, begins, ends, consent in found:
        mine = contacts.get(id_, [])
        phone = next((address for channel, address in mine if channel != "app"), "")
        channels = " ".join(each for each in ("sms", "voice", "app") if any(each == channel for channel, _ in mine))
        place = where.get(place_id, "") if place_id else ""
        told = [code, name, name_en, kind, place, shown(phone) if phone else "", language, channels]
        yield [*told, instant_text(left_at), night_text(begins, ends), instant_text(consent)]


def _grid_rows(conn: Connection, scope: Scope) -> Iterator[list[str]]:
    g = grids.c
    code_of = dict(conn.execute(select(g.id, g.code)).all())
    person = dict(conn.execute(select(people.c.id, people.c.code)).all())
    members, neighbours = (
        _lists(conn, table, column)
        for table, column in ((grid_members, "person_id"), (grid_neighbours, "neighbour_id"))
    )
    query = select(g.id, g.code, g.name, g.name_en, g.community_id, g.night_from, g.night_to).order_by(g.code)
    found = conn.execute(query.where(scope.at_grid(g.id))).fetchall()
    where = references(conn, {row[4] for row in found if row[4]})
    for id_, code, name, name_en, community_id, begins, ends in found:
        workers = ";".join(person[each] for each in members.get(id_, []))
        beside = ";".join(code_of[each] for each in neighbours.get(id_, []))
        community = where.get(community_id, "") if community_id else ""
        yield [code, name, name_en, community, workers, beside, night_text(begins, ends)]


def _lists(conn: Connection, table: Any, column: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    query = select(table.c.grid_id, table.c[column]).order_by(table.c.grid_id, table.c.rank, table.c[column])
    for grid_id, other in conn.execute(query):
        found.setdefault(grid_id, []).append(other)
    return found


def _shift_rows(conn: Connection, scope: Scope) -> Iterator[list[str]]:
    s = shifts.c
    query = (
        select(s.role, people.c.code, grids.c.code, s.place_id, s.starts_at, s.ends_at, s.rank)
        .select_from(shifts.join(people, people.c.id == s.person_id).outerjoin(grids, grids.c.id == s.grid_id))
        .where(people.c.kind != PersonKind.HOUSEHOLD.value)
    )
    if not scope.everything:
        query = query.where(scope.at_grid(s.grid_id) | scope.at_place(s.place_id))
    found = conn.execute(query).fetchall()
    where = references(conn, {row[3] for row in found if row[3]})
    told = [
        [
            role,
            person,
            grid or "",
            where.get(place, "") if place else "",
            instant_text(starts),
            instant_text(ends),
            rank,
        ]
        for role, person, grid, place, starts, ends, rank in found
    ]
    for row in sorted(told):
        yield [*row[:-1], str(row[-1])]


def references(conn: Connection, place_ids: set[str]) -> dict[str, str]:
    """Each place as other sheets name it: its code, else its names from the top."""
    query = select(places.c.id, places.c.code, places.c.path).where(one_of(places.c.id, "ids"))
    found = conn.execute(query, {"ids": sorted(place_ids)}).fetchall()
    above = {id_ for _, code, path in found if not code for id_ in path.split(SEPARATOR)}
    names = {id_: name for id_, _, name in conn.execute(_ABOVE, {"ids": sorted(above)})}
    return {
        id_: code or PATH_SEPARATOR.join(names[step] for step in path.split(SEPARATOR)) for id_, code, path in found
    }
