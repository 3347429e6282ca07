"""What the registry said, remembered from one batch of alarms to the next for as long as nobody writes to it.

Exact: SQLite counts every write (`devices.store.tables_generation`), the count is read in the transaction that decides,
and another count forgets everything. Where nothing is counted (PostgreSQL) every batch is loaded anew. Decides nothing.

Law: never ask it in a transaction that has itself written to the registry: what is rolled back would be remembered.
"""

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, select

from devices.duty.plan import Leave, RegistrySnapshot, Scoped
from devices.model import Person, Place, PlaceKind, Shift
from devices.store import duty_rows, households, snapshot
from devices.store.snapshot import FOR_EVER, TIMEZONE, FoundPlaces
from devices.store.tables_generation import registry_generation

places_kept_max = 150_000
"""More than a city of two million devices has at and above its buildings, and room for some leaves."""
places_asked_singly_max = 64
_UPPER = frozenset(tuple(PlaceKind)[: tuple(PlaceKind).index(PlaceKind.BUILDING) + 1])
_GENERATION = select(registry_generation.c.n).where(registry_generation.c.id == 1)


class RegistryMemory:
    """For one caller at a time. Snapshots that it gave away stay as they were, or gain what was loaded after them."""

    def __init__(
        self,
        timezone: str = TIMEZONE,
        *,
        places_max: int = places_kept_max,
        singly_max: int = places_asked_singly_max,
    ) -> None:
        self._timezone = timezone
        self._places_max, self._singly_max = places_max, singly_max
        self._generation: int | None = None
        self._asked: set[str] = set()
        """The grids of the last load."""
        self._no_households: bool | None = None
        """Is not even one registered? None: not looked yet."""
        self._forget()

    def load(
        self,
        conn: Connection,
        device_ids: Iterable[str],
        now: datetime,
        *,
        place_ids: Iterable[str] = (),
        grid_ids: Iterable[str] = (),
        people_ids: Iterable[str] = (),
        neighbours: bool = True,
    ) -> RegistrySnapshot:
        """As `snapshot.load`, and at least as much: what is over or not yet begun may be in it too."""
        generation = conn.scalar(_GENERATION) if conn.dialect.name == "sqlite" else None
        if generation is None:
            return snapshot.load(
                conn,
                device_ids,
                now,
                place_ids=place_ids,
                grid_ids=grid_ids,
                people_ids=people_ids,
                timezone=self._timezone,
                neighbours=neighbours,
            )
        if generation != self._generation or self._somebody_leaves <= now:
            self._forget()
        elif len(self._places) > self._places_max:
            self._forget_leaves()
        self._generation = None  # broken off in between, it must not count as known
        found, paths, own = snapshot.devices_and_paths(conn, device_ids, place_ids)
        self._keep(own)
        self._learn_places(conn, paths)
        grids = {*grid_ids, *(self._grid_of_place[id_] for id_ in paths if id_ in self._grid_of_place)}
        self._learn_duty(conn, grids, paths, now)
        if neighbours:
            self._learn_duty(conn, self._near(grids), (), now)
        self._learn_people(conn, people_ids, now)
        self._generation, self._asked = generation, grids
        return replace(self._snapshot, devices=found)

    def with_neighbours(self, conn: Connection, told: RegistrySnapshot, now: datetime) -> RegistrySnapshot:
        """With the duty of the neighbours of its grids; `told` came from the last `load`."""
        generation, self._generation = self._generation, None
        if generation is None:
            return snapshot.with_neighbours(conn, told, now)
        self._learn_duty(conn, self._near(self._asked), (), now)
        self._learn_people(conn, (), now)
        self._generation = generation
        return told

    def with_households(
        self, conn: Connection, told: RegistrySnapshot, flat_ids: Collection[str], now: datetime
    ) -> RegistrySnapshot:
        """With whom these flats' households may be reached by; read anew each time, since consent ends by itself.

        Where no household is registered at all, which the generation tells, nothing is read: to write one takes a
        person, and a new person counts.
        """
        if self._generation is not None:
            if self._no_households is None:
                self._no_households = not households.any_at_all(conn)
            if self._no_households:
                return told
        found = households.reachable(conn, flat_ids, now)
        return replace(told, households=found) if found else told

    def _near(self, grid_ids: Iterable[str]) -> set[str]:
        return {neighbour for grid_id in grid_ids for neighbour in self._neighbours.get(grid_id, ())}

    def _forget(self) -> None:
        """New collections: a snapshot that was given away keeps the old ones."""
        self._places: dict[str, Place] = {}
        self._grid_of_place: dict[str, str] = {}
        self._people: dict[str, Person] = {}
        self._shifts_by_grid: dict[str, tuple[Shift, ...]] = {}
        self._shifts_by_place: dict[str, tuple[Shift, ...]] = {}
        self._planned_by_grid: dict[str, Scoped] = {}
        self._planned_by_place: dict[str, Scoped] = {}
        self._members: dict[str, tuple[str, ...]] = {}
        self._neighbours: dict[str, tuple[str, ...]] = {}
        self._night_rules: dict[str, tuple[int, int]] = {}
        self._leaves: dict[str, tuple[Leave, ...]] = {}
        self._known_grids: set[str] = set()
        self._known_places: set[str] = set()
        self._known_people: set[str] = set()
        self._named: set[str] = set()
        self._planned_places: frozenset[str] | None = None
        self._globals_known = False
        self._no_households = None
        self._somebody_leaves = FOR_EVER
        self._snapshot = RegistrySnapshot(
            places=self._places,
            grid_of_place=self._grid_of_place,
            people=self._people,
            shifts_by_grid=self._shifts_by_grid,
            shifts_by_place=self._shifts_by_place,
            planned_by_grid=self._planned_by_grid,
            planned_by_place=self._planned_by_place,
            members=self._members,
            neighbours=self._neighbours,
            night_rules=self._night_rules,
            leaves=self._leaves,
            timezone=self._timezone,
        )

    def _forget_leaves(self) -> None:
        """Of the places only those at or above buildings are met again and again."""
        self._places = {id_: place for id_, place in self._places.items() if place.kind in _UPPER}
        self._known_places &= self._places.keys()
        self._snapshot = replace(self._snapshot, places=self._places)

    def _learn_places(self, conn: Connection, paths: dict[str, tuple[str, ...]]) -> None:
        fresh = {id_: path for id_, path in paths.items() if id_ not in self._places}
        if fresh:
            self._keep(snapshot.places_of(conn, fresh))

    def _keep(self, found: FoundPlaces) -> None:
        self._places.update(found.places)
        self._grid_of_place.update(found.grid_of_place)

    def _with_plans(self, conn: Connection, places: set[str]) -> set[str]:
        """Those of many places for which anything was planned; a few are asked about one by one."""
        if len(places) < self._singly_max:
            return places
        if self._planned_places is None:
            self._planned_places = duty_rows.planned_places(conn)
        return places & self._planned_places

    def _learn_duty(self, conn: Connection, grids: Iterable[str], places: Iterable[str], now: datetime) -> None:
        """From now on for ever: who has not begun is told from who stands by the resolver."""
        new_grids, new_places = set(grids) - self._known_grids, set(places) - self._known_places
        if self._globals_known and not new_grids and not new_places:
            return
        asked_places = self._with_plans(conn, new_places)
        if self._globals_known and not new_grids and not asked_places:
            return
        rows = duty_rows.of(conn, new_grids, asked_places, now, FOR_EVER)
        by_grid, by_place, everywhere = rows.scoped()
        self._planned_by_grid.update(by_grid)
        self._planned_by_place.update(by_place)
        self._shifts_by_grid.update((grid, tuple(shifts)) for grid, shifts in rows.shifts_by_grid.items())
        self._shifts_by_place.update((place, tuple(shifts)) for place, shifts in rows.shifts_by_place.items())
        self._members.update(rows.members_in_order())
        self._neighbours.update(rows.neighbours)
        self._night_rules.update(rows.night_rules)
        if not self._globals_known:
            self._snapshot = replace(self._snapshot, shifts_global=tuple(rows.shifts_global), planned_global=everywhere)
            self._globals_known = True
        self._known_grids |= new_grids
        self._known_places |= asked_places
        self._named |= rows.people

    def _learn_people(self, conn: Connection, people_ids: Iterable[str], now: datetime) -> None:
        fresh = self._named.union(people_ids) - self._known_people
        self._named = set()
        if not fresh:
            return
        found = snapshot.people_of(conn, fresh, now)
        self._people.update(found)
        away = duty_rows.away(conn, now, FOR_EVER, found)
        self._leaves.update((person_id, tuple(leaves)) for person_id, leaves in away.items())
        self._known_people |= fresh
        leaving = [person.left_at for person in found.values() if person.left_at is not None]
        self._somebody_leaves = min([self._somebody_leaves, *leaving])
