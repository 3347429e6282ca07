"""What a person's act writes besides moving work: columns, overlay, timeline entry. Pure; never touches a database."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, assert_never

from alerting.core import decisions as d
from alerting.core.model import Ack, Actor, Overlay

SYSTEM = "gengfu"

Acted = d.Acknowledge | d.EndAcknowledgement | d.Shelve | d.EndShelf | d.Transfer | d.Record


@dataclass(frozen=True, slots=True)
class ActRow:
    """`columns` of the incident; `due_at`: when it has to be looked at because of this."""

    kind: str
    actor: str
    data: dict[str, Any]
    columns: dict[str, Any] = field(default_factory=dict)
    overlays: tuple[tuple[Overlay, str], ...] = ()
    overlays_ended: tuple[Overlay, ...] = ()
    due_at: datetime | None = None


def acted(act: Acted, now: datetime) -> ActRow:
    """One act as it is written. An overlay that is put on anew replaces the one before."""
    match act:
        case d.Acknowledge(_, actor, _, until):
            columns: dict[str, Any] = {"ack": Ack.ACKNOWLEDGED.value, "acknowledged_by": actor.id}
            columns |= {"acknowledged_at": now, "acknowledged_until": until}
            return ActRow("acknowledged", actor.id, _by(actor, until=_text(until)), columns, due_at=until)
        case d.EndAcknowledgement():
            columns = {"ack": Ack.NONE.value, "acknowledged_by": None}
            columns |= {"acknowledged_at": None, "acknowledged_until": None}
            return ActRow("acknowledgement_ended", SYSTEM, {}, columns)
        case d.Shelve(_, until, actor, _, text):
            data = _by(actor, until=_text(until), text=text)
            marks = ((Overlay.SHELVED, text),)
            columns = {"shelved_until": until}
            return ActRow("shelved", actor.id, data, columns, marks, (Overlay.SHELVED,), until)
        case d.EndShelf(_, actor, _):
            return ActRow("unshelved", actor.id, _by(actor), {"shelved_until": None}, (), (Overlay.SHELVED,))
        case d.Transfer(_, to, grid_id, actor, _, text):
            data = _by(actor, to=to, grid=grid_id, text=text)
            columns = {} if grid_id is None else {"grid_id": grid_id}
            return ActRow("transferred", actor.id, data, columns, ((Overlay.TRANSFERRED, to),), (Overlay.TRANSFERRED,))
        case d.Record(_, kind, actor, _, detail):
            return ActRow(kind, actor.id, _by(actor, **detail))
        case _:
            assert_never(act)


def _by(actor: Actor, **data: Any) -> dict[str, Any]:
    said = {name: value for name, value in data.items() if value not in (None, "")}
    return {"name": actor.name, "via": actor.via, **said}


def _text(instant: datetime | None) -> str | None:
    return instant.isoformat() if instant else None
