"""People raise incidents: a telephone report, a find on patrol, a call for help. Never decides who is paged."""

from fastapi import APIRouter, Request, Response
from sqlalchemy import Connection

from alerting.core.model import Raised, Via
from alerting.raising import KIND_OF, RaisedDone
from alerting.store import views
from api import audit
from api.auth import GuardedRoute, Who
from api.deps import Use
from api.errors import invalid
from api.idempotency import Made, act_once
from api.incident_views import fields_of
from api.permissions import PREFIX
from api.references import place_of
from api.schemas.acts import RaiseIn
from api.schemas.incidents import RaisedOut
from devices.store.scope import path_of_place
from devices.taxonomy import TAXONOMY

router = APIRouter(prefix=f"{PREFIX}/incidents", tags=["incidents"], route_class=GuardedRoute)


@router.post("", response_model=RaisedOut, status_code=201)
async def raise_incident(request: Request, use: Use, who: Who, body: RaiseIn) -> Response:
    """Enters the same folding and ladder as a device's signal: 201 with the incident that it opened, or 200 and
    `joined` with the open one that took it in."""
    hazard = TAXONOMY.get(body.code)
    if hazard is None or hazard.cls not in KIND_OF:
        raise invalid("#/code", "not_raisable", value=body.code)
    place = await use.database.read(lambda conn: place_of(conn, who.reach(conn), body.place, "#/place"))
    raised = Raised(who.actor.id, who.actor.name, Via(body.via), body.note, tuple(body.photos))

    def recorded(conn: Connection, done: RaisedDone) -> None:
        path = path_of_place(conn, place.id)
        detail = body.model_dump(mode="json") | {"joined": done.joined}
        audit.note(conn, request, use, "raise", "incidents", done.incident_id, path=path, detail=detail)

    async def work() -> Made:
        done = await use.service.raise_incident(place.id, body.code, raised, who.actor, recorded)
        view = await use.database.read(lambda conn: views.incident(conn, done.incident_id))
        assert view is not None
        shown = RaisedOut.model_validate({**fields_of(view, use.timezone), "joined": done.joined})
        headers = {"location": f"{PREFIX}/incidents/{done.incident_id}"}
        return Made(shown.model_dump(mode="json", by_alias=True), 200 if done.joined else 201, headers)

    return (await act_once(request, use, work)).response()
