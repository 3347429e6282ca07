"""The quarantine: messages that could not be used, and why. Never puts one back."""

from fastapi import APIRouter, Response

from api.auth import GuardedRoute, Who
from api.deps import Use
from api.pages import Cursor, Limit, Page, limit_default, number_position, page
from api.permissions import PREFIX
from api.schemas.admin import QuarantineOut
from devices.store import quarantine as store
from devices.store.quarantine import Quarantined

router = APIRouter(prefix=f"{PREFIX}/quarantine", tags=["quarantine"], route_class=GuardedRoute)


@router.get("", response_model=Page[QuarantineOut])
async def list_quarantine(use: Use, who: Who, cursor: Cursor = None, limit: Limit = limit_default) -> Response:
    """Newest first; one row per sender, reason and content, however often it came. Senders that are not registered are
    seen only by those who see everything."""
    before = number_position(cursor)
    rows = await use.database.read(lambda conn: store.page(conn, before, limit + 1, who.scope(conn)))
    return page(rows, limit, _shown, lambda row: row.id)


def _shown(row: Quarantined) -> QuarantineOut:
    message = row.message
    return QuarantineOut(
        id=row.id,
        topic=message.topic,
        device_key=message.device_key,
        reason=message.reason,
        detail=message.detail,
        payload=message.payload.decode(errors="replace"),
        count=row.count,
        first_at=row.first_at,
        last_at=row.last_at,
    )
