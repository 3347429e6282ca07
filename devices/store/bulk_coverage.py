"""From the grid column of the places sheets to the places that each grid covers. Never writes.

Law: a grid covers the largest place, at or below a community, all of whose rows name it; a place that says a grid in a
row of its own has it. What the registry covers already stays: another grid over it is a fault.
"""

from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlalchemy import select

from devices.store.bulk_stage import NEW
from devices.store.bulk_tree import COMMUNITY, Nodes
from devices.store.bulk_work import Work
from devices.store.scope import AFTER_SEPARATOR, SEPARATOR
from devices.store.tables import grid_places, places

UNCLAIMED, MIXED = -1, -2


@dataclass(frozen=True, slots=True)
class Claims:
    """Of every node, seen from all rows at and below it."""

    same: "array[int]"
    """The one grid they name, plus one; MIXED; UNCLAIMED where there is no row."""
    needed: bytearray
    """Some place that names a grid is not covered by it yet."""
    first: "array[int]"
    """The first node that names a grid; 0: none."""


def cover(work: Work, code_of: Callable[[int], str]) -> Iterator[tuple[str, int]]:
    """(place id, grid number) of everything that is to be covered; faults are told."""
    nodes = work.tree.nodes
    claims = _claims(nodes)
    count = len(nodes.kind)
    effective, by_file = array("i", bytes(4 * count)), bytearray(count)
    for n in range(1, count):
        above = nodes.parent[n]
        direct = nodes.covered[n] != nodes.covered[above]
        inherited, from_file = (nodes.covered[n], 0) if direct else (effective[above], by_file[above])
        effective[n], by_file[n] = inherited, from_file
        wanted = max(claims.same[n], nodes.own_grid[n], 0)
        if not wanted or not claims.needed[n] or nodes.kind[n] < COMMUNITY or wanted == inherited:
            continue
        if inherited and not from_file:
            where = claims.first[n]
            table = work.tables[nodes.src[where]]
            work.fault(table, nodes.grid_row[where], "grid", "covered", grid=code_of(inherited - 1))
        else:
            place_id = _place(work, n, wanted - 1, claimed=nodes.own_grid[n] > 0)
            if place_id is None:
                continue
            yield place_id, wanted - 1
        effective[n], by_file[n] = wanted, 1


def _claims(nodes: Nodes) -> Claims:
    count = len(nodes.kind)
    same, first, needed = array("i", [UNCLAIMED]) * count, array("i", bytes(4 * count)), bytearray(count)
    parent, own_grid, covered = nodes.parent, nodes.own_grid, nodes.covered
    for n in range(count - 1, 0, -1):
        own = own_grid[n]
        if own >= 0:
            mine = own or MIXED
            same[n] = mine if same[n] == UNCLAIMED or same[n] == mine else MIXED
            if own:
                first[n] = n
                needed[n] = needed[n] or covered[n] != own
        above = parent[n]
        same[above] = same[n] if same[above] == UNCLAIMED or same[above] == same[n] else MIXED
        first[above] = first[n] or first[above]
        needed[above] = needed[above] or needed[n]
    return Claims(same, needed, first)


def _place(work: Work, n: int, grid_number: int, *, claimed: bool) -> str | None:
    """The node's id. None: the registry has places below it that another grid covers, so smaller places are tried;
    but what a row of its own claims is not taken back."""
    ((id_, path, state),) = work.stage.query("SELECT id, path, state FROM node WHERE n = ?", (n,))
    if state == NEW or claimed:
        return str(id_)
    below = (places.c.path >= path + SEPARATOR) & (places.c.path < path + AFTER_SEPARATOR)
    query = select(grid_places.c.grid_id).join(places, places.c.id == grid_places.c.place_id).where(below).distinct()
    others = {work.tree.grid_number(grid_id) for grid_id in work.conn.scalars(query)} - {grid_number}
    return None if others else str(id_)
