"""Work orders: what waits for a hand by day, by place and device. A view of open incidents without own state."""

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import Connection

from alerting.store import work_orders as store
from alerting.store.work_orders import Order, OrderFilter
from api.auth import GuardedRoute, Who
from api.deps import Use
from api.pages import Cursor, Limit, Page, limit_default, page, position
from api.permissions import PREFIX
from api.references import grid_id_of, part_of
from api.schemas.common import Reference
from api.schemas.restraint import WorkItem, WorkKind, WorkOrderOut
from devices.taxonomy import SignalClass

router = APIRouter(prefix=f"{PREFIX}/work-orders", tags=["maintenance"], route_class=GuardedRoute)

_CLASS = {WorkKind.SUPERVISORY: SignalClass.S, WorkKind.TROUBLE: SignalClass.T}
_KIND = {cls.value: kind for kind, cls in _CLASS.items()}
Word = Annotated[str | None, Query(max_length=64)]


@router.get("", response_model=Page[WorkOrderOut])
async def list_work_orders(
    request: Request,
    use: Use,
    who: Who,
    kind: WorkKind | None = None,
    place_id: Annotated[Reference | None, Query(description="at or below this place")] = None,
    grid_id: Reference | None = None,
    code: Word = None,
    older_than_h: Annotated[int, Query(ge=0, le=100_000)] = 0,
    cursor: Cursor = None,
    limit: Limit = limit_default,
) -> Response:
    """By place: troubles and supervisory signals that nobody has verified. A worker sees those he was told of."""
    after, now = position(cursor), use.clock.now()

    def work(conn: Connection) -> list[Order]:
        scope = who.scope(conn)
        wanted = OrderFilter(
            classes=store.KINDS if kind is None else (_CLASS[kind],),
            below=part_of(conn, scope, place_id, "?place_id"),
            grid_id=grid_id_of(conn, scope, grid_id, "?grid_id"),
            code=code,
            opened_before=now - timedelta(hours=older_than_h) if older_than_h else None,
        )
        return store.page(conn, wanted, after, limit + 1, who.sight(conn))

    return page(await use.database.read(work), limit, lambda order: _shown(order, now), lambda order: order.key)


def _shown(order: Order, now: datetime) -> WorkOrderOut:
    first = order.incidents[0]
    oldest = min(row.opened_at for row in order.incidents)
    return WorkOrderOut(
        place_id=order.place_id or None,
        place=first.place_text["zh"],
        place_en=first.place_text["en"],
        device_id=order.device_id or None,
        grid_id=first.grid_id,
        severity=first.severity,
        oldest_at=oldest,
        age_s=max(0, int((now - oldest).total_seconds())),
        items=[
            WorkItem(
                incident_id=row.id,
                reference=row.reference,
                code=row.code,
                kind=_KIND[row.cls],
                severity=row.severity,
                condition=row.condition,
                work=row.work,
                opened_at=row.opened_at,
            )
            for row in order.incidents
        ],
    )
