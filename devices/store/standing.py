"""Queries that tell what stands on a place and keeps it from being removed. Never writes."""

from sqlalchemy import ColumnElement, Connection, func, or_, select

from devices.store.tables import devices, grid_places, grids, people, places, shifts
from devices.store.tables_devices import device_placements
from devices.store.tables_duty import overrides, patterns
from devices.store.tables_places import flats


def on_place(conn: Connection, place_id: str) -> dict[str, int]:
    """What stands on it and how often; nothing that stands there not at all. Households count as `people`."""
    found = {
        "children": _count(conn, places.c.parent_id == place_id),
        "devices": _count(conn, devices.c.place_id == place_id),
        "grids": _grids(conn, place_id),
        "duty": sum(_count(conn, table.c.place_id == place_id) for table in (shifts, patterns, overrides)),
        "people": _count(conn, people.c.place_id == place_id),
        "flats": _count(conn, flats.c.place_id == place_id),
        "history": _count(conn, device_placements.c.place_id == place_id),
    }
    return {what: count for what, count in found.items() if count}


def _grids(conn: Connection, place_id: str) -> int:
    covering = select(grid_places.c.grid_id).where(grid_places.c.place_id == place_id)
    return _count(conn, or_(grids.c.community_id == place_id, grids.c.id.in_(covering)))


def _count(conn: Connection, condition: ColumnElement[bool]) -> int:
    return conn.scalar(select(func.count()).where(condition)) or 0
