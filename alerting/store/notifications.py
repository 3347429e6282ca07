"""Notification intents: one message to one person over one channel for one step. Never decides, never sends."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, select, update
from sqlalchemy.dialects import postgresql, sqlite

from alerting.core import templates
from alerting.core.attempts import RANK
from alerting.core.model import AttemptState, Paged, Purpose
from alerting.core.templates import Wording
from alerting.store.tables import notifications
from devices.model import Channel


@dataclass(frozen=True, slots=True)
class NewNotification:
    id: str
    incident_id: str
    round: int
    step: int
    recipient_id: str
    channel: str
    purpose: str
    address: str
    language: str
    urgency: int
    text: str
    redial_gap_s: int
    redial_max: int
    planned_at: datetime
    state: AttemptState
    wording: Wording | None = None


_INSERT = {
    "sqlite": sqlite.insert(notifications).on_conflict_do_nothing().returning(notifications.c.id),
    "postgresql": postgresql.insert(notifications).on_conflict_do_nothing().returning(notifications.c.id),
}
_PAGED = select(
    notifications.c.incident_id,
    notifications.c.id,
    notifications.c.round,
    notifications.c.step,
    notifications.c.recipient_id,
    notifications.c.channel,
    notifications.c.purpose,
    notifications.c.state,
).where(notifications.c.incident_id.in_(bindparam("ids", expanding=True)))
_RISE = (
    update(notifications)
    .where(notifications.c.id == bindparam("key"), notifications.c.rank < bindparam("new_rank"))
    .values(state=bindparam("new_state"), rank=bindparam("new_rank"))
)


def insert(conn: Connection, rows: Sequence[NewNotification]) -> set[str]:
    """Insert intents; returns the ids written. One that exists already (same step, person, channel) is left alone."""
    if not rows:
        return set()
    values = [
        {
            "id": r.id,
            "incident_id": r.incident_id,
            "round": r.round,
            "step": r.step,
            "recipient_id": r.recipient_id,
            "channel": r.channel,
            "purpose": r.purpose,
            "address": r.address,
            "language": r.language,
            "urgency": r.urgency,
            "text": r.text,
            "redial_gap_s": r.redial_gap_s,
            "redial_max": r.redial_max,
            "planned_at": r.planned_at,
            "state": r.state.value,
            "rank": RANK[r.state],
            "wording": templates.document(r.wording),
        }
        for r in rows
    ]
    return {row[0] for row in conn.execute(_INSERT[conn.dialect.name], values)}


def paged(conn: Connection, incident_ids: Collection[str]) -> dict[str, tuple[Paged, ...]]:
    """What was planned or sent, by incident."""
    found: dict[str, list[Paged]] = {}
    if incident_ids:
        for row in conn.execute(_PAGED, {"ids": list(incident_ids)}):
            page = Paged(row[1], row[2], row[3], row[4], Channel(row[5]), Purpose(row[6]), AttemptState(row[7]))
            found.setdefault(row[0], []).append(page)
    return {incident_id: tuple(pages) for incident_id, pages in found.items()}


def raise_states(conn: Connection, states: Sequence[tuple[str, AttemptState]]) -> None:
    """(notification id, a state one of its attempts reached): ranks only rise."""
    if states:
        rows: list[dict[str, Any]] = [
            {"key": key, "new_state": state.value, "new_rank": RANK[state]} for key, state in states
        ]
        conn.execute(_RISE, rows)
