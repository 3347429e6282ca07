"""References in bodies: an id or a code within the caller's scope, and the problem that names the field when it leads
nowhere. Never writes.
"""

from typing import NoReturn

from sqlalchemy import Connection

from api.errors import invalid
from devices.store import grids, people, places
from devices.store.grids import GridRow
from devices.store.people import PersonRow
from devices.store.places import PlaceRow
from devices.store.scope import EVERYTHING, SEPARATOR, Scope, path_of_grid, path_of_place


def place_of(conn: Connection, scope: Scope, wanted: str, pointer: str) -> PlaceRow:
    """The place; Problem 422 naming `pointer`."""
    found = places.find(conn, wanted)
    if found is None or not scope.covers(found.path):
        unknown(wanted, pointer)
    return found


def grid_of(conn: Connection, scope: Scope, wanted: str, pointer: str) -> GridRow:
    found = grids.find(conn, wanted)
    if found is None or not (scope.everything or scope.covers(path_of_grid(conn, found.id))):
        unknown(wanted, pointer)
    return found


def person_of(conn: Connection, scope: Scope, wanted: str, pointer: str) -> PersonRow:
    found = people.find(conn, wanted)
    if found is None or not (scope.everything or scope.covers(path_of_place(conn, found.place_id))):
        unknown(wanted, pointer)
    return found


def place_id_of(conn: Connection, scope: Scope, wanted: str | None, pointer: str) -> str | None:
    """The id of an optional place."""
    return None if wanted is None else place_of(conn, scope, wanted, pointer).id


def part_of(conn: Connection, scope: Scope, wanted: str | None, pointer: str) -> Scope:
    """The part of the tree at and below an optional place, to narrow a list by; everything without one."""
    if wanted is None:
        return EVERYTHING
    return Scope((SEPARATOR.join(place_of(conn, scope, wanted, pointer).path),))


def grid_id_of(conn: Connection, scope: Scope, wanted: str | None, pointer: str) -> str | None:
    return None if wanted is None else grid_of(conn, scope, wanted, pointer).id


def person_id_of(conn: Connection, scope: Scope, wanted: str | None, pointer: str) -> str | None:
    return None if wanted is None else person_of(conn, scope, wanted, pointer).id


def unknown(wanted: str, pointer: str) -> NoReturn:
    """Nothing of this name, or none the caller may know of."""
    raise invalid(pointer, "unknown_reference", value=wanted)
