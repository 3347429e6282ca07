"""One set query for all that may put somebody on duty: shifts, patterns, overrides, members, night rules, neighbours.

Reads their rows into plain values. Never decides who stands.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Connection,
    Integer,
    Row,
    Select,
    String,
    and_,
    bindparam,
    cast,
    exists,
    func,
    literal_column,
    null,
    or_,
    select,
    union_all,
)

from devices.duty.plan import Leave, Override, Pattern, Scoped, Slot
from devices.model import Role, Shift
from devices.store.lists import joined_lines, one_of
from devices.store.tables import grids, shifts
from devices.store.tables_duty import grid_members, grid_neighbours, leaves, overrides, pattern_slots, patterns
from devices.store.types import Instant

_ROLES = {role.value: role for role in Role}
_NOW, _UNTIL = bindparam("now", type_=Instant()), bindparam("until", type_=Instant())
_SHIFT, _MEMBER, _OVERRIDE, _PATTERN, _GRID = "shift", "member", "override", "pattern", "grid"
_NO_TEXT, _NO_TIME = cast(null(), String), cast(null(), Instant())
_NO_RANK = literal_column("0", Integer())
_NONE, _SPACE, _LINE, _DASH = (literal_column(text, String()) for text in ("''", "' '", "'\n'", "'-'"))


def _text(*parts: Any) -> Any:
    """The parts with a space between each."""
    text: ColumnElement[str] = cast(parts[0], String)
    for part in parts[1:]:
        text = text + _SPACE + cast(part, String)
    return text


def _kind(word: str) -> Any:
    return literal_column(f"'{word}'", String())


_shift_rows = select(
    _kind(_SHIFT),
    shifts.c.id,
    shifts.c.role,
    shifts.c.person_id,
    shifts.c.grid_id,
    shifts.c.place_id,
    shifts.c.starts_at,
    shifts.c.ends_at,
    shifts.c.rank,
    _NO_TEXT,
).where(
    or_(shifts.c.ends_at.is_(None), shifts.c.ends_at > _NOW),
    or_(shifts.c.starts_at.is_(None), shifts.c.starts_at <= _UNTIL),
)
_member_rows = select(
    _kind(_MEMBER),
    _NO_TEXT,
    _NO_TEXT,
    grid_members.c.person_id,
    grid_members.c.grid_id,
    _NO_TEXT,
    _NO_TIME,
    _NO_TIME,
    grid_members.c.rank,
    _NO_TEXT,
)
_override_rows = select(
    _kind(_OVERRIDE),
    overrides.c.id,
    overrides.c.role,
    overrides.c.person_id,
    overrides.c.grid_id,
    overrides.c.place_id,
    overrides.c.starts_at,
    overrides.c.ends_at,
    _NO_RANK,
    _text(overrides.c.kind, func.coalesce(overrides.c.replaces_id, _NONE)),
).where(overrides.c.starts_at <= _UNTIL, overrides.c.ends_at > _NOW)
_SLOTS = (
    select(
        joined_lines(
            _text(
                pattern_slots.c.day,
                pattern_slots.c.from_minute,
                pattern_slots.c.to_minute,
                pattern_slots.c.rank,
                pattern_slots.c.role,
                pattern_slots.c.number,
                pattern_slots.c.person_id,
            )
        )
    )
    .where(pattern_slots.c.pattern_id == patterns.c.id)
    .correlate(patterns)
    .scalar_subquery()
)
_HEAD = _text(
    patterns.c.timezone, patterns.c.first_day, func.coalesce(patterns.c.last_day, _DASH), patterns.c.cycle_days
)
_pattern_rows = select(
    _kind(_PATTERN),
    patterns.c.id,
    _NO_TEXT,
    _NO_TEXT,
    patterns.c.grid_id,
    patterns.c.place_id,
    _NO_TIME,
    _NO_TIME,
    _NO_RANK,
    _HEAD + _LINE + func.coalesce(_SLOTS, _NONE),
)
_NEIGHBOURS = (
    select(joined_lines(_text(grid_neighbours.c.rank, grid_neighbours.c.neighbour_id)))
    .where(grid_neighbours.c.grid_id == grids.c.id)
    .correlate(grids)
    .scalar_subquery()
)
_grid_rows = select(
    _kind(_GRID),
    _NO_TEXT,
    _NO_TEXT,
    _NO_TEXT,
    grids.c.id,
    _NO_TEXT,
    _NO_TIME,
    _NO_TIME,
    _NO_RANK,
    func.coalesce(_text(grids.c.night_from, grids.c.night_to), _NONE) + _LINE + func.coalesce(_NEIGHBOURS, _NONE),
).where(or_(grids.c.night_from.is_not(None), exists(select(1).where(grid_neighbours.c.grid_id == grids.c.id))))


def _of(rows: Select[Any], table: Any) -> list[Select[Any]]:
    """Of these grids, of these places, and for everything: three selects, since SQLite would read a whole table for
    one OR. Few rows are held for a place, so those are read and compared."""
    for_place = and_(table.c.place_id > _NONE, one_of(func.coalesce(table.c.place_id, _NONE), "place_ids"))
    return [
        rows.where(one_of(table.c.grid_id, "grid_ids")),
        rows.where(for_place if table is not shifts else one_of(table.c.place_id, "place_ids")),
        rows.where(table.c.grid_id.is_(None), table.c.place_id.is_(None)),
    ]


_overrides_of = _override_rows.where(  # few hold at a time: found by their end, then compared
    or_(
        one_of(func.coalesce(overrides.c.grid_id, _NONE), "grid_ids"),
        one_of(func.coalesce(overrides.c.place_id, _NONE), "place_ids"),
        and_(overrides.c.grid_id.is_(None), overrides.c.place_id.is_(None)),
    )
)
_SOME: CompoundSelect[Any] = union_all(
    *_of(_shift_rows, shifts),
    _member_rows.where(one_of(grid_members.c.grid_id, "grid_ids")),
    _overrides_of,
    *_of(_pattern_rows, patterns),
    _grid_rows.where(one_of(grids.c.id, "grid_ids")),
)
_ALL: CompoundSelect[Any] = union_all(_shift_rows, _member_rows, _override_rows, _pattern_rows, _grid_rows)

_PLANNED_PLACES = union_all(
    *(select(each.c.place_id).where(each.c.place_id > _NONE) for each in (shifts, patterns, overrides))
)
_LEAVES = select(leaves.c.person_id, leaves.c.starts_at, leaves.c.ends_at).where(
    leaves.c.starts_at <= _UNTIL, leaves.c.ends_at > _NOW
)
_LEAVES_OF = _LEAVES.where(one_of(func.coalesce(leaves.c.person_id, _NONE), "people_ids"))


@dataclass(slots=True)
class DutyRows:
    """The rows, sorted out: by grid, by place, and for everything."""

    shifts_by_grid: dict[str, list[Shift]] = field(default_factory=dict)
    shifts_by_place: dict[str, list[Shift]] = field(default_factory=dict)
    shifts_global: list[Shift] = field(default_factory=list)
    planned: dict[tuple[str | None, str | None], tuple[list[Pattern], list[Override]]] = field(default_factory=dict)
    """(grid, place) -> what was planned there."""
    members: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    neighbours: dict[str, tuple[str, ...]] = field(default_factory=dict)
    night_rules: dict[str, tuple[int, int]] = field(default_factory=dict)
    people: set[str] = field(default_factory=set)
    """Everybody who is named anywhere in them."""

    def members_in_order(self) -> dict[str, tuple[str, ...]]:
        """Grid -> its people, the primary first."""
        return {grid_id: tuple(who for _, who in sorted(ranked)) for grid_id, ranked in self.members.items()}

    def scoped(self) -> tuple[dict[str, Scoped], dict[str, Scoped], Scoped]:
        """What was planned by grid, by place, for everything."""
        by_grid: dict[str, Scoped] = {}
        by_place: dict[str, Scoped] = {}
        everywhere = Scoped()
        for (grid_id, place_id), (found_patterns, found_overrides) in self.planned.items():
            scoped = Scoped(tuple(found_patterns), tuple(found_overrides))
            if grid_id is not None:
                by_grid[grid_id] = scoped
            elif place_id is not None:
                by_place[place_id] = scoped
            else:
                everywhere = scoped
        return by_grid, by_place, everywhere


def of(conn: Connection, grid_ids: Iterable[str], place_ids: Iterable[str], now: datetime, until: datetime) -> DutyRows:
    """What may put somebody on duty for these grids and places, or for everything, in [now, until]."""
    given = {"grid_ids": list(grid_ids), "place_ids": list(place_ids), "now": now, "until": until}
    return _sorted_out(conn.execute(_SOME, given).fetchall())


def planned_places(conn: Connection) -> frozenset[str]:
    """Every place for which anything was ever planned: few of a city's."""
    return frozenset(conn.scalars(_PLANNED_PLACES))


def of_all(conn: Connection, now: datetime, until: datetime) -> DutyRows:
    return _sorted_out(conn.execute(_ALL, {"now": now, "until": until}).fetchall())


def away(conn: Connection, now: datetime, until: datetime, people_ids: Iterable[str] | None) -> dict[str, list[Leave]]:
    """Leaves that touch [now, until], of these people or of all."""
    period: dict[str, Any] = {"now": now, "until": until}
    if people_ids is None:
        rows = conn.execute(_LEAVES, period)
    else:
        rows = conn.execute(_LEAVES_OF, period | {"people_ids": list(people_ids)})
    found: dict[str, list[Leave]] = {}
    for person_id, starts_at, ends_at in rows:
        found.setdefault(person_id, []).append(Leave(starts_at, ends_at))
    return found


def _sorted_out(rows: Sequence[Row[*tuple[Any, ...]]]) -> DutyRows:
    made = DutyRows()
    for row in rows:
        _READ[row[0]](made, *row[1:])
    for shifts_ in (*made.shifts_by_grid.values(), *made.shifts_by_place.values(), made.shifts_global):
        if len(shifts_) > 1:
            shifts_.sort(key=lambda shift: shift.id)
    return made


def _read_shift(
    made: DutyRows,
    id_: str,
    role: str,
    person_id: str,
    grid_id: str | None,
    place_id: str | None,
    starts_at: datetime | None,
    ends_at: datetime | None,
    rank: int,
    _: None,
) -> None:
    shift = Shift(id_, _ROLES[role], person_id, grid_id, place_id, starts_at, ends_at, rank)
    made.people.add(person_id)
    if grid_id is not None:
        made.shifts_by_grid.setdefault(grid_id, []).append(shift)
    if place_id is not None:
        made.shifts_by_place.setdefault(place_id, []).append(shift)
    if grid_id is None and place_id is None:
        made.shifts_global.append(shift)


def _read_member(made: DutyRows, *columns: Any) -> None:
    person_id, grid_id, rank = columns[2], columns[3], columns[7]
    made.people.add(person_id)
    made.members.setdefault(grid_id, []).append((rank, person_id))


def _read_override(made: DutyRows, *columns: Any) -> None:
    id_, role, person_id, grid_id, place_id, starts_at, ends_at, _, text = columns
    kind, _, replaces = text.partition(" ")
    override = Override(id_, kind, _ROLES[role], person_id, replaces or None, grid_id, place_id, starts_at, ends_at)
    made.people.update((person_id, *((replaces,) if replaces else ())))
    made.planned.setdefault((grid_id, place_id), ([], []))[1].append(override)


def _read_pattern(made: DutyRows, *columns: Any) -> None:
    id_, grid_id, place_id, text = columns[0], columns[3], columns[4], columns[8]
    pattern, people = _pattern(id_, grid_id, place_id, text)
    made.people.update(people)
    made.planned.setdefault((grid_id, place_id), ([], []))[0].append(pattern)


@lru_cache(maxsize=32_768)
def _pattern(id_: str, grid_id: str | None, place_id: str | None, text: str) -> tuple[Pattern, frozenset[str]]:
    """Read once for as long as it stays as it is."""
    head, *lines = text.splitlines()
    zone_name, first_day, last_day, cycle_days = head.split(" ")
    slots = [line.split(" ", 6) for line in lines]
    slots.sort(key=lambda slot: int(slot[5]))
    pattern = Pattern(
        id_,
        grid_id,
        place_id,
        zone_name,
        date.fromisoformat(first_day),
        None if last_day == "-" else date.fromisoformat(last_day),
        int(cycle_days),
        tuple(Slot(int(s[0]), int(s[1]), int(s[2]), _ROLES[s[4]], s[6], int(s[3])) for s in slots),
    )
    return pattern, frozenset(slot.person_id for slot in pattern.slots)


def _read_grid(made: DutyRows, *columns: Any) -> None:
    grid_id, text = columns[3], columns[8]
    night, *lines = text.split("\n")
    if night:
        start, _, end = night.partition(" ")
        made.night_rules[grid_id] = (int(start), int(end))
    ranked = sorted((int(rank), neighbour) for rank, _, neighbour in (line.partition(" ") for line in lines if line))
    if ranked:
        made.neighbours[grid_id] = tuple(neighbour for _, neighbour in ranked)


_READ: dict[str, Callable[..., None]] = {
    _SHIFT: _read_shift,
    _MEMBER: _read_member,
    _OVERRIDE: _read_override,
    _PATTERN: _read_pattern,
    _GRID: _read_grid,
}
