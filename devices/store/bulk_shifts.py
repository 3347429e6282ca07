"""The shifts sheet: who stands on which post, for which grid or place, when. Writes only the staging file."""

from datetime import datetime

from sqlalchemy import select

from devices.bulk.cells import clean
from devices.bulk.columns import ROLES
from devices.bulk.faults import nearest
from devices.bulk.heads import Table
from devices.bulk.values import Bad, choice, instant, whole
from devices.model import Role
from devices.resolve import GRID_ROLES
from devices.store.bulk_grids import Grids
from devices.store.bulk_people import People
from devices.store.bulk_references import Places
from devices.store.bulk_work import CHANGE, CREATE, SAME_AS_IS, Work
from devices.store.tables import shifts

rank_max = 1000
_SHIFTS = select(
    shifts.c.id,
    shifts.c.role,
    shifts.c.person_id,
    shifts.c.grid_id,
    shifts.c.place_id,
    shifts.c.starts_at,
    shifts.c.ends_at,
    shifts.c.rank,
)
Key = tuple[str, str, str | None, str | None, datetime | None, datetime | None]
"""Role, person, grid, place, start, end: two shifts of one key are one."""


class Shifts:
    """Every shift of the registry and of the files."""

    def __init__(self, work: Work, people: People, grids: Grids, place_refs: Places) -> None:
        self._work = work
        self._people = people
        self._grids = grids
        self._places = place_refs
        self._known: dict[Key, tuple[str, int]] = {}
        self._rows: dict[Key, int] = {}
        for id_, *key, rank in work.conn.execute(_SHIFTS):
            self._known.setdefault(tuple(key), (id_, rank))

    def read(self, table: Table) -> None:
        for chunk in self._work.chunks(table):
            for number, cells in chunk:
                self._row(table, number, {name: clean(cells[index]) for name, index in table.at.items()})

    def _row(self, table: Table, number: int, told: dict[str, str]) -> None:
        key = self._key(table, number, told)
        rank = whole(told["rank"], 0, rank_max) if told.get("rank") else None
        if isinstance(rank, Bad):
            self._work.bad(table, number, "rank", rank)
        if key is None or isinstance(rank, Bad):
            return
        if key in self._rows:
            self._work.fault(table, number, None, "shift_twice", other=self._rows[key])
            return
        self._rows[key] = number
        known = self._known.get(key)
        if known is None:
            role, person, grid, place, *times = key
            written = [None if at is None else at.isoformat() for at in times]
            self._work.stage.step("shift_add", self._work.ids(), role, person, grid, place, *written, rank or 0)
            self._work.counts.add("shifts", CREATE)
        elif rank is not None and rank != known[1]:
            self._work.stage.step("shift_change", known[0], rank)
            self._work.counts.add("shifts", CHANGE)
        else:
            self._work.counts.add("shifts", SAME_AS_IS)

    def _key(self, table: Table, number: int, told: dict[str, str]) -> Key | None:
        work = self._work
        before = work.faults.total
        role = choice(told["role"], ROLES)
        if not told["role"]:
            work.fault(table, number, "role", "missing", column="role")
        elif isinstance(role, Bad):
            work.bad(table, number, "role", role, nearest(told["role"], ROLES))
        person = self._people.id_of(told["person"])
        if person is None:
            word = "unknown_person" if told["person"] else "missing"
            near = work.near(told["person"], self._people.codes)
            work.fault(table, number, "person", word, near, value=told["person"], column="person")
        times = [self._time(table, number, told, column) for column in ("starts_at", "ends_at")]
        starts, ends = times
        if starts is not None and ends is not None and ends <= starts:
            work.fault(table, number, "ends_at", "period")
        grid, place = self._scope(table, number, told, role if isinstance(role, str) else None)
        if work.faults.total != before or person is None or isinstance(role, Bad):
            return None
        return role, person, grid, place, starts, ends

    def _time(self, table: Table, number: int, told: dict[str, str], column: str) -> datetime | None:
        text = told.get(column, "")
        at = instant(text, self._work.zone) if text else None
        if isinstance(at, Bad):
            self._work.bad(table, number, column, at)
            return None
        return at

    def _scope(
        self, table: Table, number: int, told: dict[str, str], role: str | None
    ) -> tuple[str | None, str | None]:
        work = self._work
        grid_code, place_text = told.get("grid", ""), told.get("place", "")
        if grid_code and place_text:
            work.fault(table, number, "place", "one_place")
            return None, None
        if role is not None and place_text and Role(role) in GRID_ROLES:
            work.fault(table, number, "place", "role_takes_grid")
        elif role is not None and grid_code and Role(role) not in GRID_ROLES:
            work.fault(table, number, "grid", "role_takes_place")
        elif not grid_code and not place_text and not work.scope.everything:
            work.fault(table, number, None, "outside_scope")
        grid = self._grids.find(grid_code) if grid_code else None
        if grid_code and grid is None:
            work.fault(table, number, "grid", "unknown_grid", work.near(grid_code, self._grids.codes), value=grid_code)
        place = self._places.find(table, number, "place", place_text) if place_text else None
        return grid.id if grid is not None else None, place
