"""References in bodies: an id or a code, and the problem that names the field when it leads nowhere. Never writes."""

from typing import NoReturn

from sqlalchemy import Connection

from api.errors import invalid
from devices.store import grids, people, places
from devices.store.grids import GridRow
from devices.store.places import PlaceRow


def place_of(conn: Connection, wanted: str, pointer: str) -> PlaceRow:
    """The place; Problem 422 naming `pointer`."""
    return places.find(conn, wanted) or _unknown(wanted, pointer)


def grid_of(conn: Connection, wanted: str, pointer: str) -> GridRow:
    return grids.find(conn, wanted) or _unknown(wanted, pointer)


def person_of(conn: Connection, wanted: str, pointer: str) -> str:
    """The person's id."""
    return (people.find(conn, wanted) or _unknown(wanted, pointer)).id


def place_id_of(conn: Connection, wanted: str | None, pointer: str) -> str | None:
    """The id of an optional place."""
    return None if wanted is None else place_of(conn, wanted, pointer).id


def grid_id_of(conn: Connection, wanted: str | None, pointer: str) -> str | None:
    return None if wanted is None else grid_of(conn, wanted, pointer).id


def _unknown(wanted: str, pointer: str) -> NoReturn:
    raise invalid(pointer, "unknown_reference", value=wanted)
