"""Queries that tell why a reference in a body cannot stand. Never writes."""

from collections.abc import Sequence

from sqlalchemy import Connection, func, select

from alerting.store.tables import incidents
from api.store.tables import api_keys, user_grants
from devices.store.tables import grid_places, grids


def covering(conn: Connection, place_ids: Sequence[str]) -> dict[str, tuple[str, str]]:
    """(id, code) of the grid that covers each of these places itself."""
    query = (
        select(grid_places.c.place_id, grids.c.id, grids.c.code)
        .join(grids, grids.c.id == grid_places.c.grid_id)
        .where(grid_places.c.place_id.in_(place_ids))
    )
    return {row[0]: (row[1], row[2]) for row in conn.execute(query)}


def incidents_at(conn: Connection, place_id: str) -> bool:
    """Did anything ever happen at this very place?"""
    return conn.scalar(select(incidents.c.id).where(incidents.c.place_id == place_id).limit(1)) is not None


def rights_at(conn: Connection, place_id: str) -> int:
    """How many users and keys in force are bound to this place."""
    bound = select(func.count()).select_from(user_grants).where(user_grants.c.place_id == place_id)
    in_force = (api_keys.c.place_id == place_id, api_keys.c.revoked_at.is_(None))
    keys = select(func.count()).select_from(api_keys).where(*in_force)
    return (conn.scalar(bound) or 0) + (conn.scalar(keys) or 0)
