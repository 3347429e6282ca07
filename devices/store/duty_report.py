"""Queries behind the report on duty. Decides nothing."""

from collections.abc import Iterable

from sqlalchemy import Connection, exists, func, select

from devices.store.lists import one_of
from devices.store.scope import Scope
from devices.store.tables import contact_points, grids, people

_VERIFIED = exists().where(
    contact_points.c.person_id == people.c.id,
    contact_points.c.verified_at.is_not(None),
    contact_points.c.opted_out_at.is_(None),
)
_UNVERIFIED = select(people.c.id).where(one_of(people.c.id, "people_ids"), ~_VERIFIED)


def unverified(conn: Connection, people_ids: Iterable[str]) -> set[str]:
    """Those of these people who have no contact that was proved to reach them and is in use."""
    return set(conn.scalars(_UNVERIFIED, {"people_ids": sorted(set(people_ids))}))


def grids_within(conn: Connection, scope: Scope) -> int:
    """How many grids there are for this scope."""
    return conn.scalar(select(func.count()).select_from(grids).where(scope.at_grid(grids.c.id))) or 0
