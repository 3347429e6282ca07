"""Incidents: list, read, timeline. Never writes."""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from sqlalchemy import Connection

from alerting.core.model import Ack, Condition, Work
from alerting.store import households, views
from api.auth import GuardedRoute, Who
from api.deps import Use
from api.errors import not_found
from api.incident_views import entry_shown, fields_of, links_shown, shown
from api.pages import Cursor, Limit, Page, answer, limit_default, number_position, page, position
from api.permissions import PREFIX
from api.schemas.incidents import IncidentOut, IncidentReadOut, SatisfactionOut, TimelineOut

router = APIRouter(prefix=f"{PREFIX}/incidents", tags=["incidents"], route_class=GuardedRoute)

Word = Annotated[str | None, Query(max_length=64)]


@router.get("", response_model=Page[IncidentOut])
async def list_incidents(
    use: Use,
    who: Who,
    open: bool | None = None,
    work: Annotated[list[Work] | None, Query()] = None,
    condition: Condition | None = None,
    ack: Ack | None = None,
    severity_max: Annotated[int | None, Query(ge=1, le=5)] = None,
    code: Word = None,
    grid_id: Word = None,
    place_id: Word = None,
    device_id: Word = None,
    reference: Word = None,
    shelved: Annotated[bool | None, Query(description="true: 暂停提醒中")] = None,
    raised: Annotated[bool | None, Query(description="true: raised by people")] = None,
    unseen: Annotated[bool | None, Query(description="true: severity 1 called unreal, nobody there")] = None,
    drill: Annotated[bool, Query(description="true: exercises, and nothing else")] = False,
    cursor: Cursor = None,
    limit: Limit = limit_default,
) -> Response:
    """Newest first. A worker sees what he was paged for, who is bound to a place what happens there."""
    wanted = views.IncidentFilter(
        open=open,
        work=tuple(word.value for word in work or ()),
        condition=condition,
        ack=ack,
        severity_max=severity_max,
        code=code,
        grid_id=grid_id,
        place_id=place_id,
        device_id=device_id,
        reference=reference,
        shelved=shelved,
        raised=raised,
        unseen=unseen,
        drill=drill,
    )
    after = position(cursor)
    rows = await use.database.read(lambda conn: views.incidents_page(conn, wanted, after, limit + 1, who.sight(conn)))
    return page(rows, limit, lambda view: shown(view, use.timezone), lambda view: view.id)


@router.get("/{id}", response_model=IncidentReadOut)
async def read_incident(id: str, use: Use, who: Who) -> Response:
    """With what it reopens and what reopened it."""

    def work(conn: Connection) -> tuple[views.IncidentView, views.Links, households.Satisfaction | None] | None:
        sight = who.sight(conn)
        view = views.incident(conn, id, sight)
        if view is None:
            return None
        return view, views.links(conn, view, sight), households.satisfaction(conn, [id]).get(id)

    found = await use.database.read(work)
    if found is None:
        raise not_found()
    view, links, satisfaction = found
    fields = {**fields_of(view, use.timezone), "linked": links_shown(links), "satisfaction": None}
    if satisfaction is not None:
        fields["satisfaction"] = SatisfactionOut.model_validate(asdict(satisfaction))
    body = IncidentReadOut.model_validate(fields)
    return answer(body.model_dump(mode="json", by_alias=True))


@router.get("/{id}/timeline", response_model=Page[TimelineOut])
async def read_timeline(id: str, use: Use, who: Who, cursor: Cursor = None, limit: Limit = limit_default) -> Response:
    """Everything that happened, in order, each with its reason."""
    after = number_position(cursor)

    def work(conn: Any) -> list[views.TimelineEntry] | None:
        return views.timeline_page(conn, id, after, limit + 1) if views.visible(conn, [id], who.sight(conn)) else None

    entries = await use.database.read(work)
    if entries is None:
        raise not_found()
    return page(entries, limit, entry_shown, lambda entry: entry.seq)
