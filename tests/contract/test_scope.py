"""One scope, asked in Python and in SQL: both answer alike for every place, grid and path, on both databases."""

import random
from itertools import product

import pytest
from sqlalchemy import Connection, select

from devices.model import PlaceKind
from devices.store import grids, places
from devices.store.grids import GridRow
from devices.store.places import PlaceRow
from devices.store.scope import EVERYTHING, NOTHING, Scope, common_path, of_places, path_of_grid, path_of_place
from devices.store.tables import grids as grid_table
from devices.store.tables import places as place_table
from tests.contract.registry_support import Registry

pytest_plugins = ["tests.contract.registry_fixtures"]

KINDS = tuple(PlaceKind)
NASTY = ("a", "a-", "a0", "a/".rstrip("/") + "z", "A", "á", "a_", "a%")
"""Ids that begin alike, and characters that mean something to LIKE or sort about the separator."""


def tree(seed: int) -> list[PlaceRow]:
    """A random forest of 60 places whose ids begin alike."""
    dice = random.Random(seed)
    rows: list[PlaceRow] = []
    for number in range(60):
        parent = dice.choice(rows).path if rows and dice.random() < 0.85 else ()
        if len(parent) >= len(KINDS):
            parent = ()
        id_ = f"{dice.choice(NASTY)}{number}"
        rows.append(PlaceRow(id_, KINDS[len(parent)], id_, "", (*parent, id_)))
    return rows


def cover(rows: list[PlaceRow], seed: int) -> list[GridRow]:
    """Grids with and without a community, over places near and far."""
    dice = random.Random(seed)
    free = dice.sample(rows, 30)
    made = []
    for number in range(12):
        mine, free = free[: dice.randint(0, 3)], free[3:]
        community = dice.choice(rows).id if dice.random() < 0.4 else None
        made.append(GridRow(f"g{number}", f"g{number}", "网格", "", community, tuple(row.id for row in mine)))
    return made


def fill(conn: Connection, rows: list[PlaceRow], covered: list[GridRow]) -> None:
    places.insert_many(conn, rows)
    grids.insert_many(conn, covered)


@pytest.mark.parametrize("seed", range(4))
async def test_python_and_both_databases_agree(registry: Registry, seed: int) -> None:
    rows = tree(seed)
    covered = cover(rows, seed)
    await registry.write(lambda conn: fill(conn, rows, covered))
    bound: list[list[str | None]] = [[row.id] for row in rows[::4]]
    bound += [[rows[1].id, rows[7].id], [], ["gone"], [None, rows[0].id]]

    def check(conn: Connection) -> tuple[int, int]:
        seen = hidden = 0
        for wanted in bound:
            scope = of_places(conn, wanted)
            inside = set(conn.scalars(select(place_table.c.id).where(scope.on_path(place_table.c.path))))
            assert inside == {row.id for row in rows if scope.covers(row.path)}
            assert inside == set(conn.scalars(select(place_table.c.id).where(scope.at_place(place_table.c.id))))
            own = {id_ for id_ in wanted if id_}
            expected = {row.id for row in rows if None in wanted or own & set(row.path)}
            assert inside == expected
            for grid in covered:
                path = path_of_grid(conn, grid.id)
                listed = conn.scalar(
                    select(grid_table.c.id).where(grid_table.c.id == grid.id, scope.at_grid(grid_table.c.id))
                )
                lies_outside = grid.community_id is None and not set(grid.place_ids) <= inside
                assert not (listed and lies_outside), "a grid that reaches outside is listed"
                assert (listed is not None) is scope.covers(path), (wanted, grid)
            seen, hidden = seen + len(inside), hidden + len(rows) - len(inside)
        return seen, hidden

    seen, hidden = await registry.read(check)
    assert seen > 60
    assert hidden > 60


async def test_a_place_that_is_gone_and_no_place_at_all(registry: Registry) -> None:
    await registry.write(lambda conn: places.insert_many(conn, tree(1)))

    def check(conn: Connection) -> None:
        assert of_places(conn, ["gone"]) == NOTHING
        assert of_places(conn, []) == NOTHING
        assert of_places(conn, [None]) == EVERYTHING
        assert path_of_place(conn, None) is path_of_place(conn, "gone") is None
        assert path_of_grid(conn, None) is path_of_grid(conn, "gone") is None

    await registry.read(check)


def test_what_belongs_nowhere_is_seen_only_by_those_who_see_everything() -> None:
    for path, scope in product((None, "", ()), (NOTHING, Scope(("a",)))):
        assert not scope.covers(path)
        assert EVERYTHING.covers(path)


def test_a_name_that_merely_begins_alike_is_another_place() -> None:
    scope = Scope(("a/b",))
    assert scope.covers("a/b")
    assert scope.covers(("a", "b", "c"))
    for other in ("a", "a/bc", "a/b-", "a/b0", "A/b", "b"):
        assert not scope.covers(other)


def test_what_paths_have_in_common() -> None:
    assert common_path(["a/b/c", "a/b/d"]) == "a/b"
    assert common_path(["a/b", "a/bc"]) == "a"
    assert common_path(["a", "b"]) is None
    assert common_path([]) is None
    assert common_path(["a/x/c", "a/y/c"]) == "a"
