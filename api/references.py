"""References in bodies: an id or a code, and the problem that names the field when it leads nowhere. Never writes."""

from sqlalchemy import Connection

from api.errors import invalid
from api.store import references as store


def place_of(conn: Connection, wanted: str, pointer: str) -> str:
    """The place's id; Problem 422 naming `pointer`."""
    return _known(store.place(conn, wanted), wanted, pointer)


def grid_of(conn: Connection, wanted: str, pointer: str) -> str:
    return _known(store.grid(conn, wanted), wanted, pointer)


def person_of(conn: Connection, wanted: str, pointer: str) -> str:
    return _known(store.person(conn, wanted), wanted, pointer)


def _known(found: str | None, wanted: str, pointer: str) -> str:
    if found is None:
        raise invalid(pointer, "unknown_reference", value=wanted)
    return found
