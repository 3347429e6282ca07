"""Queries that turn an id or a code into an id. Never writes."""

from typing import Any

from sqlalchemy import Connection, String, Table, bindparam, case, or_, select

from devices.store.tables import grids, people, places


def _lookup(table: Table) -> Any:
    wanted = bindparam("wanted", type_=String())
    id_first = case((table.c.id == wanted, 0), else_=1)
    return select(table.c.id).where(or_(table.c.id == wanted, table.c.code == wanted)).order_by(id_first).limit(1)


_PLACE, _GRID, _PERSON = _lookup(places), _lookup(grids), _lookup(people)


def place(conn: Connection, wanted: str) -> str | None:
    """The id of the place with this id or code."""
    return _scalar(conn, _PLACE, wanted)


def grid(conn: Connection, wanted: str) -> str | None:
    return _scalar(conn, _GRID, wanted)


def person(conn: Connection, wanted: str) -> str | None:
    return _scalar(conn, _PERSON, wanted)


def _scalar(conn: Connection, query: Any, wanted: str) -> str | None:
    found: str | None = conn.scalar(query, {"wanted": wanted})
    return found
