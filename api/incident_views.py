"""Incidents as the API shows them. Never asks a database."""

from typing import Any

from alerting.core.daytime import due_by
from alerting.store import views
from api.schemas.incidents import IncidentOut, LinkedOut, LinksOut, OverlayOut, TakenBy, TimelineOut


def fields_of(view: views.IncidentView, timezone: str) -> dict[str, Any]:
    """The fields of `IncidentOut`."""
    row = dict(view.row)
    taken_by = row.pop("taken_by")
    return {
        **row,
        "class_": row["cls"],
        "device_id": row["device_id"] or None,
        "taken_by": TakenBy(id=taken_by, name=view.taken_by_name) if taken_by else None,
        "due_by": due_by(row["code"], row["opened_at"], timezone),
        "overlays": [OverlayOut(kind=item.kind, at=item.at, detail=item.detail) for item in view.overlays],
    }


def shown(view: views.IncidentView, timezone: str) -> IncidentOut:
    return IncidentOut.model_validate(fields_of(view, timezone))


def links_shown(links: views.Links) -> LinksOut:
    return LinksOut(
        reopens=_linked(links.reopens) if links.reopens else None,
        reopened_by=[_linked(each) for each in links.reopened_by],
    )


def _linked(link: views.Link) -> LinkedOut:
    return LinkedOut(id=link.id, reference=link.reference, work=link.work, opened_at=link.opened_at)


def entry_shown(entry: views.TimelineEntry) -> TimelineOut:
    return TimelineOut(
        seq=entry.seq,
        incident_id=entry.incident_id,
        at=entry.at,
        kind=entry.kind,
        reason=entry.reason,
        actor=entry.actor,
        data=entry.data,
    )
