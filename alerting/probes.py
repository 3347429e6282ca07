"""Direct messages that belong to no incident: sent through the same providers, and understood when they call back.

Law: committed before it is sent; a crash leaves at most one repeat; sent late it would do harm, so it expires instead.
Never decides who is told of an alarm.
"""

import asyncio
import hmac
import logging
from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import msgspec
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from alerting import app_targets
from alerting.carriers import Given, carriers_of
from alerting.channels import TABLE as CHANNELS
from alerting.channels.base import Accepted, Busy, Rejected, Scope, Submission, Submitted
from alerting.core.acts import KeyOutcome
from alerting.core.attempts import of_submitted
from alerting.core.household_words import HOUSEHOLD as HOUSEHOLD_NAME
from alerting.core.lines import Line, ends
from alerting.core.model import AttemptState
from alerting.core.readiness import STREAM
from alerting.core.routing import Go
from alerting.ports import Clock, Conflict, Database, Priority
from alerting.store import probes, readiness
from alerting.store.probes import Probe
from alerting.stream import Hub
from devices.audit import AuditEntry
from devices.model import Channel
from devices.store import audit, households, people
from devices.store.scope import path_of_place

log = logging.getLogger(__name__)

CONTACT = "contact"
SELF_TEST = "self_test"
"""The daily message to one phone, by one carrier: it confirms nothing but that it was tapped there."""
HOUSEHOLD = "household"
"""A check of a household's number: its own id is the contact's and the person's."""

claim_most = 20
send_within_s = 60.0
"""A code or a test call that comes later than this only puzzles."""
code_valid_s = 600.0
code_tries_max = 5
per_hour_max = 3
"""To one number: carriers block a sender that pesters."""
app_again_s = 2.0
push_event = "verification"
self_test_event = "self_test"
self_test_again_s = 300.0
"""A phone that cannot be reached just now is tried again so often, until the message expires."""
account_again_s = 1800.0
"""What is wrong with our account is no fault of a phone: its message is tried again until it expires."""
grace_s = 4.0
urgency = 5
line_busy_s = 10.0


class Confirmation(StrEnum):
    """What became of a code."""

    VERIFIED = "verified"
    WRONG = "wrong"
    TOO_MANY_TRIES = "too_many_tries"
    EXPIRED = "expired"
    NOTHING_ASKED = "nothing_asked"


class Probes:
    """Sends what is due on the channels that this process serves."""

    def __init__(
        self,
        *,
        database: Database,
        providers: Given,
        hub: Hub,
        clock: Clock,
        boot: int,
    ) -> None:
        self._database = database
        self._carriers = carriers_of(providers)
        self._hub = hub
        self._clock = clock
        self._boot = boot
        self._tasks: set[asyncio.Task[None]] = set()

    async def sweep(self) -> None:
        """Find what is due and send it; mostly there is nothing."""
        now, channels = self._clock.now(), self._carriers.channels
        if not await self._database.read(lambda conn: probes.any_due(conn, now, channels)):
            return
        claimed = await self._database.write(
            Priority.ATTEMPT, lambda conn: probes.claim(conn, now, self._boot, channels, claim_most, self._pick)
        )
        for probe in claimed:
            task = asyncio.create_task(self._send(probe))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def pressed(self, probe_id: str, key: str) -> KeyOutcome:
        """A key on a probe's call: 1 confirms, 2 says that it is the wrong number."""
        now = self._clock.now()
        return await self._database.write(Priority.ACCEPTANCE, lambda conn: _press(conn, probe_id, key, now))

    async def stop(self) -> None:
        """Wait a moment for what is under way; its lease runs out otherwise."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=grace_s)
        for task in self._tasks:
            task.cancel()

    async def _send(self, probe: Probe) -> None:
        if probe.kind == SELF_TEST and probe.provider != STREAM:
            submitted = await self._to_phone(probe)
        elif probe.channel is Channel.APP:
            submitted = self._push(probe)
        else:
            submitted = await self._submit(probe)
        now = self._clock.now()
        try:
            await self._database.write(Priority.ATTEMPT, lambda conn: _judge(conn, probe, submitted, now))
        except (SQLAlchemyError, OSError, Conflict) as fault:
            log.error("what became of probe %s is not recorded: %s", probe.id, type(fault).__name__)

    async def _submit(self, probe: Probe) -> Submitted:
        submission, now = _submission(probe), self._clock.now()
        if probe.channel is Channel.VOICE and self._carriers.lines.at(probe.address, now) is not None:
            return Busy(line_busy_s)
        choice = self._carriers.choose(submission, now, prefer=probe.provider or "")
        if choice.go is Go.WAIT or (choice.provider and choice.provider != probe.provider):
            return Busy(1.0)  # looked at again, by whom it then is
        provider = self._carriers.named(probe.channel, choice.provider)
        if provider is None or choice.go not in (Go.NOW, Go.ANYWAY):
            return Rejected(choice.why.value or "no_carrier", Scope.ACCOUNT)
        self._carriers.counted(probe.channel, provider.name, probe.address, now)
        if probe.channel is Channel.VOICE:
            until = ends(now, provider.caps.ring_s)
            self._carriers.lines.take(probe.address, Line(probe.id, probe.id, "", provider.name, urgency, until))
        answer = await provider.submit(submission, CHANNELS[probe.channel].submit_deadline_s)
        self._carriers.heard(probe.channel, provider.name, probe.address, answer, self._clock.now())
        if isinstance(answer, Rejected | Busy):
            self._carriers.lines.free(probe.id)
        return answer

    def _pick(self, probe: Probe) -> str:
        """In the writer's thread: by which carrier; committed before it is sent."""
        if probe.kind == SELF_TEST:
            return probe.provider or STREAM
        return self._carriers.first(probe.channel, probe.address, probe.person_id or "", urgency, self._clock.now(), "")

    async def _to_phone(self, probe: Probe) -> Submitted:
        """By its own carrier to its own subscription; another phone of the same person proves nothing of this one."""
        name, person_id = probe.provider or "", probe.person_id or ""
        provider = self._carriers.named(Channel.APP, name)
        target = app_targets.narrowed(self._carriers.target(name, person_id), probe.subscription_id or "")
        if provider is None or not target:
            return Busy(self_test_again_s)  # not read yet, or gone
        submission = replace(_submission(probe), target=target)
        answer = await provider.submit(submission, CHANNELS[Channel.APP].submit_deadline_s)
        ours = isinstance(answer, Rejected) and answer.scope is Scope.ACCOUNT
        return Busy(account_again_s) if ours else answer

    def _push(self, probe: Probe) -> Submitted:
        """To the person's open sessions; without one, again in a moment, until it expires."""
        own = probe.kind == SELF_TEST
        event = self_test_event if own else push_event
        reached = self._hub.push(probe.person_id or "", event, probe.text.encode())
        return Accepted("stream") if reached else Busy(self_test_again_s if own else app_again_s)


def _submission(probe: Probe) -> Submission:
    return Submission(
        attempt_id=probe.id,
        notification_id=probe.id,
        incident_id="",
        recipient_id=probe.person_id or "",
        channel=probe.channel,
        address=probe.address,
        language=probe.language,
        text=probe.text,
        wording=probe.wording,
        urgency=urgency,
        planned_at=probe.created_at,
    )


def push_text(probe_id: str, title: str, body: str, code: str, path: str, expires_at: datetime) -> str:
    """The event that an app shows; tapped, it posts the code to `confirm` with the person's own key."""
    message: dict[str, Any] = {
        "verification_id": probe_id,
        "title": title,
        "body": body,
        "code": code,
        "confirm": path,
        "expires_at": expires_at,
    }
    return msgspec.json.encode(message).decode()


def confirm_code(conn: Connection, contact_id: str, code_hash: str, now: datetime, by: AuditEntry) -> Confirmation:
    """Judge a code against the last probe of this contact; right, it verifies the contact, recorded as `by`."""
    probe = probes.newest_of_contact(conn, contact_id)
    if probe is None or probe.code_hash is None or probe.confirmed_at is not None:
        return Confirmation.NOTHING_ASKED
    if now >= probe.expires_at:
        return Confirmation.EXPIRED
    if probe.tries >= code_tries_max:
        return Confirmation.TOO_MANY_TRIES
    if not hmac.compare_digest(probe.code_hash, code_hash):
        probes.count_try(conn, probe.id)
        return Confirmation.WRONG
    probes.confirm(conn, probe.id, now)
    if not people.verify_contact(conn, contact_id, now):
        return Confirmation.NOTHING_ASKED
    audit.record(conn, by)
    return Confirmation.VERIFIED


def too_many(conn: Connection, channel: Channel, address: str, now: datetime) -> bool:
    """Has this number had its probes of the hour?"""
    return probes.sent_since(conn, channel, address, now - timedelta(hours=1)) >= per_hour_max


def _press(conn: Connection, probe_id: str, key: str, now: datetime) -> KeyOutcome:
    probe = probes.get(conn, probe_id)
    if probe is None or probe.channel is not Channel.VOICE:
        return KeyOutcome.UNKNOWN
    if key == "2":
        probes.deny(conn, probe.id, now)
        return KeyOutcome.DECLINED
    if probe.confirmed_at is not None:
        return KeyOutcome.TAKEN
    if now >= probe.expires_at:
        return KeyOutcome.UNKNOWN
    if probe.kind in _VERIFYING and not _VERIFYING[probe.kind](conn, probe, now):
        return KeyOutcome.UNKNOWN
    probes.confirm(conn, probe.id, now)
    return KeyOutcome.TAKEN


def _verified_by_key(conn: Connection, probe: Probe, now: datetime) -> bool:
    contact_id, person_id = probe.contact_id or "", probe.person_id or ""
    person = people.get(conn, person_id)
    if person is None or not people.verify_contact(conn, contact_id, now):
        return False
    path = path_of_place(conn, person.place_id)
    detail = {"person": person_id, "channel": probe.channel.value, "how": "key"}
    entry = AuditEntry(now, person_id, person.name, "service", "verify", "contacts", contact_id, path, detail)
    audit.record(conn, entry)
    return True


def _household_verified(conn: Connection, probe: Probe, now: datetime) -> bool:
    """Not where the household has given another number meanwhile. The audit keeps no name."""
    row = households.get(conn, probe.person_id or "")
    if row is None or row.phone != probe.address or not people.verify_contact(conn, row.id, now):
        return False
    path = path_of_place(conn, row.place_id)
    entry = AuditEntry(now, row.id, HOUSEHOLD_NAME, "service", "verify", "households", row.id, path, {"how": "key"})
    audit.record(conn, entry)
    return True


_VERIFYING = {CONTACT: _verified_by_key, HOUSEHOLD: _household_verified}
"""What a key on a check call verifies."""


def _judge(conn: Connection, probe: Probe, submitted: Submitted, now: datetime) -> None:
    if isinstance(submitted, Busy):
        least_s = self_test_again_s if probe.kind == SELF_TEST else 1.0
        probes.again(conn, probe, now + timedelta(seconds=max(least_s, submitted.retry_after)))
        return
    state = of_submitted(submitted)
    if probe.channel is Channel.APP and state is AttemptState.PROVIDER_ACCEPTED:
        state = AttemptState.SENT  # shown, as far as we know; only the tap proves it
    reference = submitted.provider_ref if isinstance(submitted, Accepted) else None
    error = (submitted.code or submitted.reason)[:64] if isinstance(submitted, Rejected) else None
    probes.settle(conn, probe, state, reference, error)
    if probe.kind == SELF_TEST and isinstance(submitted, Rejected):
        readiness.refuse_self_test(conn, probe.id, submitted.reason)
