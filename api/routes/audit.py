"""The audit: who did what, newest first, within the caller's scope. Rows are read only."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from api.auth import GuardedRoute, Who
from api.deps import Use
from api.pages import Cursor, Limit, Page, limit_default, number_position, page
from api.permissions import PREFIX
from api.schemas.access import AuditOut
from devices.store import audit as store
from devices.store.audit import AuditRow

router = APIRouter(prefix=f"{PREFIX}/audit", tags=["audit"], route_class=GuardedRoute)

Word = Annotated[str | None, Query(max_length=128)]


@router.get("", response_model=Page[AuditOut])
async def list_audit(
    use: Use,
    who: Who,
    object_id: Word = None,
    actor_id: Word = None,
    act: Word = None,
    cursor: Cursor = None,
    limit: Limit = limit_default,
) -> Response:
    """Newest first. What concerns no place is seen only by those who see everything."""
    before = number_position(cursor)
    rows = await use.database.read(
        lambda conn: store.page(
            conn, before, limit + 1, within=who.scope(conn), object_id=object_id, actor_id=actor_id, act=act
        )
    )
    return page(rows, limit, _shown, lambda row: row.id)


def _shown(row: AuditRow) -> AuditOut:
    entry = row.entry
    return AuditOut(
        id=row.id,
        at=entry.at,
        actor_id=entry.actor_id,
        actor=entry.actor,
        via=entry.via,
        act=entry.act,
        kind=entry.kind,
        object_id=entry.object_id,
        path=entry.path,
        detail=dict(entry.detail or {}),
        hash=row.hash,
    )
