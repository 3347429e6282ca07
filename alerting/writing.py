"""Carry out decisions inside one open transaction: rows in, nothing sent. Never decides and never commits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, assert_never

from sqlalchemy import Connection

from alerting import restraining, writing_outbox
from alerting.core import decisions as d
from alerting.core import records
from alerting.core.acted import acted
from alerting.core.held import Held
from alerting.core.household import OVER
from alerting.core.instants import Heard
from alerting.core.model import AttemptState, Condition, Incident, Reason, Work
from alerting.interlocks import WAKE_COMMANDS, plan
from alerting.interlocks import entries as of_commands
from alerting.ports import Ids
from alerting.store import attempts, cancels, households, incidents, notifications, timeline
from alerting.store import held as held_store
from alerting.writing_outbox import WAKE_OUTBOX, WAKE_STREAM, Outbox

__all__ = ["SYSTEM", "WAKE_OUTBOX", "WAKE_STREAM", "Outbox", "Writing", "Written"]

SYSTEM = "gengfu"


@dataclass(slots=True)
class Written:
    """What the shell does after the commit."""

    entries: list[tuple[int, timeline.Entry]] = field(default_factory=list)
    submissions: list[attempts.Claimed] = field(default_factory=list)
    hang_up: list[attempts.Ringing] = field(default_factory=list)
    opened: list[Incident] = field(default_factory=list)
    next_due: datetime | None = None
    escalations: list[str] = field(default_factory=list)
    commanded: bool = False
    """A device is to do something: whoever holds the broker's connection sends it."""
    marks: list[str] = field(default_factory=list)
    drill_escalations: list[str] = field(default_factory=list)
    """Those of exercises, counted apart."""


@dataclass(slots=True)
class _Rows:
    opened: dict[str, Incident] = field(default_factory=dict)
    changed: dict[str, dict[str, Any]] = field(default_factory=dict)
    overlays: list[tuple[str, str, datetime, str]] = field(default_factory=list)
    overlays_ended: list[tuple[str, str]] = field(default_factory=list)
    entries: list[timeline.Entry] = field(default_factory=list)
    notices: list[d.Notify] = field(default_factory=list)
    kept_back: list[d.Fold | d.Withhold] = field(default_factory=list)
    commands: list[d.SendCommand] = field(default_factory=list)
    cancels: dict[str, Reason] = field(default_factory=dict)
    cancels_for: list[tuple[str, list[str], Reason]] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)
    held_ends: list[tuple[str, Reason, str | None]] = field(default_factory=list)
    """(held alarm, why it waits no longer, the incident it opened or joined)."""


class Writing:
    """One transaction's worth of decisions. `known` are the incidents the decisions were made on."""

    def __init__(
        self, conn: Connection, now: datetime, ids: Ids, outbox: Outbox, known: Mapping[str, Incident]
    ) -> None:
        self._conn = conn
        self._now = now
        self._ids = ids
        self._outbox = outbox
        self._known = known
        self._rows = _Rows()
        self._heard: Mapping[str, Heard] = {}
        self._written = Written()

    def carry_out(self, made: Sequence[d.Decision], heard: Mapping[str, Heard] | None = None) -> Written:
        """Write every decision, in order. `heard`: the word that opened an incident, or that it spreads by."""
        self._heard = heard or {}
        for decision in made:
            self._take(decision)
        rows = self._rows
        for incident_id, reason in rows.cancels.items():
            self._canceled(incident_id, reason, attempts.cancel_planned(self._conn, incident_id))
            self._written.hang_up.extend(attempts.ringing(self._conn, incident_id))
            if reason in OVER:
                self._written.hang_up.extend(households.cancel_calls(self._conn, incident_id))
        for incident_id, recipients, reason in rows.cancels_for:
            self._canceled(incident_id, reason, cancels.cancel_for(self._conn, incident_id, recipients))
            self._written.hang_up.extend(cancels.ringing_of(self._conn, incident_id, recipients))
        changes = [(self._known[incident_id], values) for incident_id, values in sorted(rows.changed.items())]
        incidents.change(self._conn, changes)
        incidents.insert(self._conn, list(rows.opened.values()))  # after the changes: one may free a key
        incidents.end_overlays(self._conn, rows.overlays_ended)
        incidents.add_overlays(self._conn, rows.overlays)
        held_store.insert(self._conn, rows.held)
        for ended, why, joined in rows.held_ends:
            held_store.end(self._conn, ended, self._now, why.value, joined)
        self._notify()
        restraining.keep(self._conn, self._ids, self._now, rows.kept_back)
        self._command()
        if rows.entries:
            self._outbox.wake(self._conn, WAKE_STREAM)
        seqs = timeline.append(self._conn, rows.entries)
        self._written.entries = list(zip(seqs, rows.entries, strict=True))
        self._written.opened = list(rows.opened.values())
        return self._written

    def _take(self, decision: d.Decision) -> None:
        match decision:
            case d.OpenIncident(incident, reason):
                self._rows.opened[incident.id] = incident
                said = records.of_opening(incident, self._heard.get(incident.id))
                self._log(incident.id, "opened", reason, data=said)
            case d.ReleaseKey(incident_id, reason):
                self._set(incident_id, holds_key=False)
                self._log(incident_id, "superseded", reason)
            case d.AttachSignal(incident_id, _, _, extent, reason):
                before = self._value(incident_id, "signals")
                self._set(incident_id, signals=before + 1, extent=extent, condition="active")
                if decision.logged:
                    actor = decision.by.id if decision.by else SYSTEM
                    self._log(incident_id, "signal", reason, actor, records.of_signal(decision, before + 1))
            case d.SetCondition(incident_id, condition, device_id, extent, reason):
                self._set(incident_id, condition=condition.value, extent=extent)
                data = {"device": device_id, "condition": condition.value}
                if decision.logged:
                    self._log(incident_id, "condition", reason, data=data)
            case d.AddOverlay(incident_id, overlay, reason, detail):
                self._rows.overlays.append((incident_id, overlay.value, self._now, detail))
                self._mark(incident_id, overlay.value)
                self._log(incident_id, "overlay", reason, data={"overlay": overlay.value, "detail": detail})
            case d.DropOverlay(incident_id, overlay, reason):
                self._rows.overlays_ended.append((incident_id, overlay.value))
                self._log(incident_id, "overlay_ended", reason, data={"overlay": overlay.value})
            case d.RaiseSeverity(incident_id, severity, reason):
                self._set(incident_id, severity=severity)
                self._log(incident_id, "severity", reason, data={"severity": severity})
            case d.Notify():
                self._rows.notices.append(decision)
                self._dispatched(decision)
            case d.Fold() | d.Withhold():
                self._keep_back(decision)
            case d.SkipStep(incident_id, step, reason):
                self._escalated(incident_id, reason)
                self._log(incident_id, "step_skipped", reason, data={"step": step})
            case d.SetLadder():
                self._ladder(decision)
            case d.SetWork(incident_id, work, actor, reason, detail):
                self._work(incident_id, work, actor, reason, detail)
            case d.Acknowledge() | d.EndAcknowledgement() | d.Shelve() | d.EndShelf() | d.Transfer() | d.Record():
                self._act(decision)
            case d.Note(incident_id, actor, text, reason):
                data = {"text": text, "name": actor.name, "via": actor.via}
                self._log(incident_id, "note", reason, actor.id, data)
            case d.CancelPending(incident_id, reason):
                self._rows.cancels[incident_id] = reason
            case d.CancelFor(incident_id, recipients, reason):
                self._rows.cancels_for.append((incident_id, sorted(recipients), reason))
            case d.HoldAlarm(held, reason):
                self._rows.held.append(held)
                self._written.escalations.append(reason.value)
                self._ladder_moved(held.due_at)
            case d.SettleHeld(held_id, _, _, reason):
                self._rows.held_ends.append((held_id, reason, None))
                self._written.escalations.append(reason.value)
            case d.ReleaseHeld(held, incident_id, reason):
                self._rows.held_ends.append((held.id, reason, incident_id))
                self._written.escalations.append(reason.value)
                waited = {"device": held.device_id, "code": held.code, "received_at": held.received_at.isoformat()}
                self._log(incident_id, "held", reason, data=waited)
            case d.SendCommand():
                self._rows.commands.append(decision)
            case d.Suppress(_, _, reason):
                self._written.escalations.append(reason.value)
            case _:
                assert_never(decision)

    def _act(self, act: d.Acknowledge | d.EndAcknowledgement | d.Shelve | d.EndShelf | d.Transfer | d.Record) -> None:
        """A row's columns, its overlay and its timeline entry, as `acted` says."""
        written = acted(act, self._now)
        if written.columns:
            self._set(act.incident_id, **written.columns)
        self._rows.overlays_ended.extend((act.incident_id, overlay.value) for overlay in written.overlays_ended)
        for overlay, text in written.overlays:
            self._rows.overlays.append((act.incident_id, overlay.value, self._now, text))
            self._mark(act.incident_id, overlay.value)
        self._ladder_moved(written.due_at)
        self._log(act.incident_id, written.kind, act.reason, written.actor, written.data)

    def _ladder(self, moved: d.SetLadder) -> None:
        opened = self._rows.opened.get(moved.incident_id)
        if records.moves(moved, opened):
            said = records.of_ladder(moved.round, moved.step, moved.due_at, moved.reason)
            self._log(moved.incident_id, "ladder", moved.reason, data=said)
        values = {"round": moved.round, "step": moved.step, "due_at": moved.due_at, "due_reason": moved.reason}
        self._set(moved.incident_id, **values, **({} if opened else {"due_set_at": self._now}))
        self._ladder_moved(moved.due_at)

    def _canceled(self, incident_id: str, reason: Reason, notification_ids: Sequence[str]) -> None:
        """Messages that are not sent any more, each with its line."""
        notifications.raise_states(self._conn, [(id_, AttemptState.CANCELED) for id_ in sorted(set(notification_ids))])
        for notification_id in notification_ids:
            self._log(incident_id, AttemptState.CANCELED.value, reason, data={"notification": notification_id})

    def _keep_back(self, decision: d.Fold | d.Withhold) -> None:
        self._rows.kept_back.append(decision)
        incident_id, kind, data, due_at = restraining.said(decision)
        self._ladder_moved(due_at)
        self._escalated(incident_id, decision.reason)
        self._log(incident_id, kind, decision.reason, data=data)

    def _work(self, incident_id: str, work: Work, actor: Any, reason: Reason, detail: dict[str, Any]) -> None:
        values: dict[str, Any] = {"work": work.value}
        if work is Work.TAKEN or (work is Work.ON_SITE and actor.person_id):
            values |= {"taken_by": actor.person_id, "taken_at": self._now}
        elif work is Work.DISPATCHED:
            values |= {"taken_by": None, "taken_at": None}
        elif work is Work.VERIFIED:
            values |= {"verified": {**detail, "by": actor.id, "at": self._now.isoformat()}}
        elif work is Work.EVALUATED:
            values |= {"evaluated": {**detail, "by": actor.id, "at": self._now.isoformat()}}
        elif work is Work.CLOSED:
            values |= {"closed_at": self._now, "holds_key": False}
        self._set(incident_id, **values)
        data = {"work": work.value, "name": actor.name, "via": actor.via, **detail}
        self._log(incident_id, "work", reason, actor.id, data)

    def _set(self, incident_id: str, **values: Any) -> None:
        opened = self._rows.opened.get(incident_id)
        if opened is not None:
            kinds = {"work": Work, "condition": Condition}
            typed: dict[str, Any] = {k: kinds[k](value) if k in kinds else value for k, value in values.items()}
            self._rows.opened[incident_id] = replace(opened, **typed)
            return
        if "extent" in values:
            values["extent"] = incidents.extent_values(values["extent"])
        if "due_reason" in values:
            values["due_reason"] = values["due_reason"].value
        self._rows.changed.setdefault(incident_id, {}).update(values)

    def _value(self, incident_id: str, name: str) -> Any:
        changed = self._rows.changed.get(incident_id, {})
        if name in changed:
            return changed[name]
        return getattr(self._rows.opened.get(incident_id) or self._known[incident_id], name)

    def _escalated(self, incident_id: str, reason: Reason) -> None:
        exercise = self._is_exercise(incident_id)
        (self._written.drill_escalations if exercise else self._written.escalations).append(reason.value)

    def _mark(self, incident_id: str, overlay: str) -> None:
        if not self._is_exercise(incident_id):
            self._written.marks.append(overlay)

    def _is_exercise(self, incident_id: str) -> bool:
        return self._value(incident_id, "drill_id") is not None

    def _ladder_moved(self, due_at: datetime | None) -> None:
        earliest = self._written.next_due
        if due_at is not None and (earliest is None or due_at < earliest):
            self._written.next_due = due_at

    def _log(
        self, incident_id: str, kind: str, reason: Reason, actor: str = SYSTEM, data: dict[str, Any] | None = None
    ) -> None:
        entry = timeline.Entry(incident_id, self._now, kind, reason.value, actor, data or {})
        self._rows.entries.append(entry)

    def _notify(self) -> None:
        if not self._rows.notices:
            return
        made = writing_outbox.plan(self._conn, self._now, self._ids, self._outbox, self._rows.notices, self._heard)
        for each in made:
            notice, attempt = each.notice, each.attempt
            if each.mine:
                severity, drill = self._value(notice.incident_id, "severity"), self._is_exercise(notice.incident_id)
                self._written.submissions.append(writing_outbox.claimed(each, severity, drill=drill))
            data = records.of_plan(attempt.notification_id, notice, attempt.state.value)
            self._log(notice.incident_id, "planned", notice.reason, data=data)
            if notice.reason not in (Reason.FIRST_SIGNAL, Reason.TAKEN, Reason.DRILL):
                self._escalated(notice.incident_id, notice.reason)

    def _command(self) -> None:
        """Rows beside the decision that asked for them: sent after the commit, and by the sweep if that is lost."""
        fresh = plan(self._conn, self._now, self._ids, self._rows.commands) if self._rows.commands else []
        if fresh:
            self._rows.entries.extend(of_commands(fresh, self._now))
            self._outbox.wake(self._conn, WAKE_COMMANDS)
        self._written.commanded = bool(fresh)

    def _dispatched(self, notice: d.Notify) -> None:
        """A page on an incident that nobody had been asked about makes it dispatched."""
        known = self._known.get(notice.incident_id)
        if known is not None and notice.purpose.asks:
            work = self._value(notice.incident_id, "work")
            if work in (Work.NEW, Work.NEW.value):
                self._set(notice.incident_id, work=Work.DISPATCHED.value)
