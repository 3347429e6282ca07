"""Carries the core's decisions out in memory and checks its laws at every single one. Never decides, never sends."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import assert_never

from alerting.core import decisions as d
from alerting.core.held import Held
from alerting.core.model import Ack, AttemptState, Condition, Incident, Overlay, Paged, Purpose, Reason, Work
from alerting.core.states import TRANSITIONS, Act

WHILE_ANSWERED = (
    Reason.SPREADING,
    Reason.CONFIRMED,
    Reason.NOT_A_TEST,
    Reason.STILL_CHARGING,
    Reason.CHAIN_END,
)
"""Why somebody may be asked though another goes: it spreads (and its chain may run to the end at once)."""

HELP = ("dispatch", "escalate", "call-again")
"""Verbs with which the control room asks somebody beside the one who goes."""


@dataclass(slots=True)
class Ledger:
    """Incidents, who holds which key, and every notification: what the database would hold."""

    incidents: dict[str, Incident] = field(default_factory=dict)
    holders: dict[str, str] = field(default_factory=dict)
    paged: dict[str, list[Paged]] = field(default_factory=dict)
    waiting: dict[str, Held] = field(default_factory=dict)
    """Alarms that wait in test mode."""
    ends: dict[str, tuple[datetime, Reason, str | None]] = field(default_factory=dict)
    """When and why each waits no longer, and the incident it went to."""
    trace: list[tuple[datetime, str, object]] = field(default_factory=list)
    """When, for what cause, and each decision or refusal."""
    seen: set[tuple[Work, Act]] = field(default_factory=set)
    """The pairs of the transition table that happened."""
    _touched: set[str] = field(default_factory=set)

    def held(self) -> list[Incident]:
        """The incidents that take signals."""
        return [self.incidents[incident_id] for incident_id in self.holders.values()]

    def carry_out(self, made: Sequence[d.Decision], now: datetime, cause: str) -> list[d.Notify]:
        """Everything in its order; afterwards no open incident may be without a later due time."""
        before = dict(self.incidents)
        self._touched = set()
        notices = []
        for decision in made:
            self.trace.append((now, cause, decision))
            self._take(decision, now, cause)
            if isinstance(decision, d.Notify):
                notices.append(decision)
        self._check(before, made, now)
        return notices

    def raise_state(self, incident_id: str, notification_id: str, state: AttemptState) -> None:
        pages = self.paged[incident_id]
        index = next(n for n, page in enumerate(pages) if page.notification_id == notification_id)
        pages[index] = replace(pages[index], state=state)

    def state_of(self, incident_id: str, notification_id: str) -> AttemptState:
        return next(page.state for page in self.paged[incident_id] if page.notification_id == notification_id)

    def _take(self, decision: d.Decision, now: datetime, cause: str) -> None:
        match decision:
            case d.OpenIncident(incident, _):
                assert incident.id not in self.incidents
                assert incident.dedup_key not in self.holders, "two incidents of one key"
                self._set(incident)
                self.holders[incident.dedup_key] = incident.id
                self.paged[incident.id] = []
            case d.ReleaseKey(incident_id, _):
                known = self.incidents[incident_id]
                assert known.work is Work.VERIFIED, "only a result releases a key"
                assert self.holders.pop(known.dedup_key) == incident_id
            case d.AttachSignal(incident_id, _, _, extent, _):
                known = self._holding(incident_id)
                self._set(replace(known, extent=extent, signals=known.signals + 1, condition=Condition.ACTIVE))
            case d.SetCondition(incident_id, condition, _, extent, _):
                self._set(replace(self._holding(incident_id), condition=condition, extent=extent))
            case d.AddOverlay(incident_id, overlay, _):
                known = self.incidents[incident_id]
                self._set(replace(known, overlays=known.overlays | {overlay}))
            case d.DropOverlay(incident_id, overlay, _):
                known = self.incidents[incident_id]
                self._set(replace(known, overlays=known.overlays - {overlay}))
            case d.RaiseSeverity(incident_id, severity, _):
                known = self.incidents[incident_id]
                assert severity < known.severity, "severity only rises"
                self._set(replace(known, severity=severity))
            case d.Notify():
                self._notify(decision, cause)
            case d.SetLadder(incident_id, round_, step, due_at, reason):
                known = self.incidents[incident_id]
                assert round_ >= known.round, "rounds never go back"
                assert (due_at is None) is not known.open, "due exactly while it is open"
                assert due_at is None or due_at > now, "a due time that has passed would spin"
                self._set(replace(known, round=round_, step=step, due_at=due_at, due_reason=reason))
            case d.SetWork():
                self._work(decision, now)
            case d.Acknowledge(incident_id, actor, _, until):
                known, seen = self.incidents[incident_id], Ack.ACKNOWLEDGED
                self._set(replace(known, ack=seen, acknowledged_by=actor.id, acknowledged_until=until))
            case d.EndAcknowledgement(incident_id, _):
                self._set(_unacknowledged(self.incidents[incident_id]))
            case d.Shelve(incident_id, until, _, _, text):
                known = self.incidents[incident_id]
                assert known.severity > 1, "severity 1 was shelved"
                assert text, "shelved without a reason"
                assert until > now, "shelved until a time that has passed"
                self._set(replace(known, shelved_until=until, overlays=known.overlays | {Overlay.SHELVED}))
            case d.EndShelf(incident_id, _, _):
                known = self.incidents[incident_id]
                self._set(replace(known, shelved_until=None, overlays=known.overlays - {Overlay.SHELVED}))
            case d.Transfer(incident_id, _, grid_id, _, _):
                known = self.incidents[incident_id]
                moved = replace(known, overlays=known.overlays | {Overlay.TRANSFERRED})
                self._set(replace(moved, grid_id=grid_id or known.grid_id))
            case d.CancelFor(incident_id, recipients, _):
                pages = self.paged[incident_id]
                self.paged[incident_id] = [_canceled(p) if p.recipient_id in recipients else p for p in pages]
            case d.CancelPending(incident_id, _):
                self.paged[incident_id] = [_canceled(page) for page in self.paged[incident_id]]
            case d.HoldAlarm(held, _):
                assert held.due_at > now, "it would not wait"
                assert held.id not in self.waiting
                speakers = {(each.device_id, each.code) for each in self.waiting.values()}
                assert (held.device_id, held.code) not in speakers, "the store would refuse it"
                self.waiting[held.id] = held
            case d.SettleHeld(held_id, _, _, reason):
                assert self.waiting.pop(held_id).due_at > now, "settled after its time"
                self.ends[held_id] = (now, reason, None)
            case d.ReleaseHeld(held, incident_id, reason):
                del self.waiting[held.id]
                assert incident_id in self.incidents
                self.ends[held.id] = (now, reason, incident_id)
            case d.SkipStep() | d.Note() | d.Suppress() | d.Record() | d.SendCommand() | d.Fold() | d.Withhold():
                pass
            case _:
                assert_never(decision)

    def _notify(self, notice: d.Notify, cause: str) -> None:
        known = self.incidents[notice.incident_id]
        pages = self.paged[notice.incident_id]
        same = (notice.round, notice.recipient_id, notice.channel, notice.purpose)
        if notice.purpose is Purpose.PAGE:
            assert known.open
            self.seen.add((known.work, Act.PAGE))
            spreads = cause in ("signals", "held") and notice.reason in WHILE_ANSWERED
            assert not known.answered or spreads or cause in HELP, "somebody goes"
            asked = {(page.round, page.recipient_id, page.channel, page.purpose) for page in pages}
            assert same not in asked, "one person twice on one channel in one round"
        unique = {(page.step, page.round, page.recipient_id, page.channel, page.purpose) for page in pages}
        assert (notice.step, *same) not in unique, "the store would refuse it"
        if known.work is Work.NEW:
            self._set(replace(known, work=Work.DISPATCHED))
        key = f"{notice.incident_id}/{len(pages)}"
        pages.append(
            Paged(
                key,
                notice.round,
                notice.step,
                notice.recipient_id,
                notice.channel,
                notice.purpose,
                AttemptState.PLANNED,
            )
        )

    def _work(self, decision: d.SetWork, now: datetime) -> None:
        known = self.incidents[decision.incident_id]
        assert decision.work in TRANSITIONS[known.work].values(), "a move that is not in the table"
        if decision.reason is Reason.TAKEN_EXPIRED:
            self.seen.add((known.work, Act.EXPIRE))
        taken_by, taken_at = known.taken_by, known.taken_at
        if decision.work in (Work.TAKEN, Work.ON_SITE):
            taken_by, taken_at = decision.actor.person_id, now
        elif decision.work is Work.DISPATCHED:
            taken_by, taken_at = None, None
        elif decision.work is Work.CLOSED and self.holders.get(known.dedup_key) == known.id:
            del self.holders[known.dedup_key]
        self._set(replace(known, work=decision.work, taken_by=taken_by, taken_at=taken_at))

    def _check(self, before: dict[str, Incident], made: Sequence[d.Decision], now: datetime) -> None:
        worked = {each.incident_id for each in made if isinstance(each, d.SetWork)}
        acknowledged = {each.incident_id for each in made if isinstance(each, d.Acknowledge)}
        for incident_id in self._touched:
            incident, earlier = self.incidents[incident_id], before.get(incident_id)
            assert incident.open is (incident.due_at is not None), f"{incident_id} would be forgotten"
            if earlier is None:
                continue
            moved = incident.work is not earlier.work
            assert not moved or incident_id in worked or earlier.work is Work.NEW, "moved by nobody"
            if incident_id in acknowledged:
                assert _unacknowledged(incident) == _unacknowledged(earlier), "it moved more than its axis"

    def _holding(self, incident_id: str) -> Incident:
        known = self.incidents[incident_id]
        assert self.holders.get(known.dedup_key) == incident_id, "a signal for an incident that takes none"
        return known

    def _set(self, incident: Incident) -> None:
        self.incidents[incident.id] = incident
        self._touched.add(incident.id)


def _unacknowledged(incident: Incident) -> Incident:
    return replace(incident, ack=Ack.NONE, acknowledged_by=None, acknowledged_until=None)


def _canceled(page: Paged) -> Paged:
    planned = page.state is AttemptState.PLANNED and page.purpose is Purpose.PAGE
    return replace(page, state=AttemptState.CANCELED) if planned else page
