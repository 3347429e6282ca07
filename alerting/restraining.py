"""Restraint within a deciding transaction: look up what went out lately, ask the core, keep what is not sent.

Never sends, never decides. A first fire costs no statement.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from alerting.core.decisions import Decision, Fold, Withhold
from alerting.core.model import Incident, Overlay
from alerting.core.restraint import (
    Folded,
    Ground,
    Lately,
    SummaryKey,
    concerns,
    looked_up,
    restrain,
    window_s,
)
from alerting.core.signal import SignalIn
from alerting.core.silencing import silence
from alerting.core.world import World
from alerting.ports import Ids
from alerting.store import maintenance, restraint
from alerting.store.restraint import FoldRow
from devices.signals import SignalKind

_MAY_BE_QUIET = (SignalKind.ALARM, SignalKind.SUPERVISORY, SignalKind.TROUBLE)


def with_windows(
    conn: Connection, world: World, signals: Sequence[SignalIn] = (), incidents: Collection[Incident] = ()
) -> World:
    """With the maintenance windows that run now, where one may matter: a fire never asks."""
    asked = any(not signal.life_safety and signal.kind in _MAY_BE_QUIET for signal in signals)
    if not asked and not any(Overlay.MAINTENANCE in incident.overlays for incident in incidents):
        return world
    windows = maintenance.running(conn, world.now)
    return replace(world, maintenance=windows) if windows else world


def restrained(
    conn: Connection,
    ids: Ids,
    world: World,
    made: Sequence[Decision],
    known: Mapping[str, Incident],
    paged: Mapping[str, Any],
    *,
    signals: bool = False,
) -> list[Decision]:
    """The decisions without what restraint keeps back. `signals`: they rest on signals, which a window may silence."""
    ground = Ground(world, known, paged)
    kept = silence(made, ground) if signals else list(made)
    if not concerns(kept):
        return kept
    since = world.now - timedelta(seconds=window_s)
    asked = looked_up(kept, ground)
    lately = Lately(
        tuple(restraint.recent(conn, asked.buildings, since)) if asked.buildings else (),
        restraint.pages_of(conn, asked.incidents, since) if asked.incidents else {},
    )
    kept, counted = restrain(kept, ground, lately)
    restraint.count(conn, [(ids.uuid7(), page) for page in counted], world.now)
    return kept


def keep(conn: Connection, ids: Ids, now: datetime, decisions: Sequence[Fold | Withhold]) -> None:
    """Rows for what was folded and withheld, so that a restart loses neither."""
    restraint.fold(conn, [_row(each, ids.uuid7(), now) for each in decisions if isinstance(each, Fold)])
    waits = {(each.incident_id, each.until) for each in decisions if isinstance(each, Withhold)}
    restraint.withhold(conn, sorted(waits))


def said(decision: Fold | Withhold) -> tuple[str, str, dict[str, Any], datetime]:
    """(incident, kind, data) of its timeline entry, and when it is looked at again."""
    if isinstance(decision, Withhold):
        data = {"recipient": decision.recipient_id, "channel": decision.channel.value}
        return decision.incident_id, "withheld", {**data, "until": decision.until.isoformat()}, decision.until
    notice = decision.notice
    data = {"recipient": notice.recipient_id, "name": notice.recipient_name, "channel": notice.channel.value}
    return notice.incident_id, "folded", {**data, "step": notice.step, "code": decision.code}, decision.due_at


def _row(decision: Fold, row_id: str, now: datetime) -> FoldRow:
    notice = decision.notice
    key = SummaryKey(notice.recipient_id, decision.building_id, notice.channel)
    return FoldRow(row_id, key, Folded(notice.incident_id, decision.code, decision.place, now), decision.due_at)
