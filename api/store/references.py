"""Queries that tell why a reference in a body cannot stand. Never writes."""

from collections.abc import Sequence

from sqlalchemy import Connection, select

from devices.store.tables import grid_places, grids


def covering(conn: Connection, place_ids: Sequence[str]) -> dict[str, tuple[str, str]]:
    """(id, code) of the grid that covers each of these places itself."""
    query = (
        select(grid_places.c.place_id, grids.c.id, grids.c.code)
        .join(grids, grids.c.id == grid_places.c.grid_id)
        .where(grid_places.c.place_id.in_(place_ids))
    )
    return {row[0]: (row[1], row[2]) for row in conn.execute(query)}
