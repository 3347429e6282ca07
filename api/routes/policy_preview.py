"""Which policy an incident of this code would get here and then, the built-in defaults included. Changes nothing."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from sqlalchemy import Connection

from alerting.core.policy import choose, document
from alerting.store import policies, policy_rows
from api.auth import GuardedRoute, Who
from api.deps import Use
from api.errors import invalid
from api.pages import answer
from api.permissions import PREFIX
from api.references import place_of
from api.schemas.admin import PolicyOut
from api.schemas.common import Instant
from devices.taxonomy import TAXONOMY

router = APIRouter(prefix=f"{PREFIX}/policy-preview", tags=["policies"], route_class=GuardedRoute)


@router.get("", response_model=PolicyOut)
async def preview_policy(
    use: Use,
    who: Who,
    code: Annotated[str, Query(max_length=64, description="of the taxonomy")] = "fire.smoke",
    place: Annotated[str | None, Query(max_length=64, description="id or code; absent: an unplaced device")] = None,
    at: Annotated[Instant | None, Query(description="now when absent")] = None,
) -> Response:
    """The document as it would be frozen into the incident. `position` is -1 for a built-in default."""
    hazard = TAXONOMY.get(code)
    if hazard is None:
        raise invalid("?code", "unknown_reference", value=code)
    instant = at or use.clock.now()

    def work(conn: Connection) -> PolicyOut:
        path = place_of(conn, who.scope(conn), place, "?place").path if place is not None else ()
        configured = policies.load(conn)
        chosen = choose(configured, hazard, path, instant, use.timezone)
        row = policy_rows.get(conn, chosen.name) if any(each is chosen for each in configured) else None
        position = row.position if row is not None else -1
        named = {"name": chosen.name, "position": position, "version": chosen.version}
        return PolicyOut.model_validate({**document(chosen), **named})

    shown = await use.database.read(work)
    return answer(shown.model_dump(mode="json"))
