"""How people answer from a phone: a key on a call, a text sent back. Each is one act; the core decides what it means.

Law: only a key, a reply or a tap is a human's act; asking again with the same key is harmless.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from sqlalchemy import Connection

from alerting.core.acts import Done, KeyOutcome, Verb
from alerting.core.decisions import Refused
from alerting.core.model import Actor, AttemptState, Purpose, Refusal, Work
from alerting.core.outcomes import KeyPress, Reply
from alerting.ports import Clock, Database
from alerting.recorder import Outcome, Recorder
from alerting.store import attempts, incidents
from devices.store import people

keys_remembered_max = 10_000
"""Pressed keys whose result is known: the inbox meets each of them a second time."""
reply_goes = ("1", "１", "go", "去", "出发")
reply_declines = ("2", "２", "no", "不能")

OfHousehold = Callable[[str, str, str], Awaitable[KeyOutcome]]
"""(attempt id, key, via): what a key means that a household pressed."""
OfNoWorker = Callable[[str, str], Awaitable[bool]]
"""(number, text): a text from a number that no page went to. False: nobody there was asked anything."""
ActOn = Callable[[str, Verb, Actor, dict[str, Any]], Awaitable[Done | Refused]]
"""(incident id, verb, actor, detail): the service's `act`."""


class Answers:
    """`pressed_elsewhere(attempt_id, key)`: what a key means on a call that belongs to no incident."""

    def __init__(
        self,
        *,
        database: Database,
        recorder: Recorder,
        clock: Clock,
        act: ActOn,
        pressed_elsewhere: Callable[[str, str], Awaitable[KeyOutcome]],
        household_pressed: OfHousehold,
        household_replied: OfNoWorker,
    ) -> None:
        self._database = database
        self._recorder = recorder
        self._clock = clock
        self._act = act
        self._pressed_elsewhere = pressed_elsewhere
        self._household_pressed = household_pressed
        self._household_replied = household_replied
        self._acting: dict[tuple[str, str], asyncio.Task[KeyOutcome]] = {}

    async def key_pressed(self, attempt_id: str, digits: str) -> KeyOutcome:
        """1 goes, 2 cannot, 3 again. Asking again with the same key is harmless."""
        key = digits[:1]
        if key == "3":
            return KeyOutcome.REPEAT
        if key not in ("1", "2"):
            return KeyOutcome.UNKNOWN
        acting = self._acting.get((attempt_id, key))
        if acting is None or (acting.done() and (acting.cancelled() or acting.exception() is not None)):
            acting = asyncio.create_task(self._act_on_key(attempt_id, key))
            if len(self._acting) >= keys_remembered_max:
                self._acting.clear()
            self._acting[attempt_id, key] = acting
        return await asyncio.shield(acting)

    async def _act_on_key(self, attempt_id: str, key: str) -> KeyOutcome:
        found = await self._database.read(lambda conn: _whose(conn, attempt_id))
        if found is None:
            return await self._pressed_elsewhere(attempt_id, key)
        claimed, name = found
        if claimed.purpose == Purpose.HOUSEHOLD.value:
            return await self._household_pressed(attempt_id, key, "voice")
        actor = Actor(claimed.submission.recipient_id, name, "voice", claimed.submission.recipient_id)
        verb = Verb.ACCEPT if key == "1" else Verb.DECLINE
        done = await self._act(claimed.submission.incident_id, verb, actor, {"attempt": attempt_id})
        self._taken(claimed, done)
        if verb is Verb.DECLINE:
            return KeyOutcome.DECLINED
        if isinstance(done, Refused):
            refused = done.reason in (Refusal.ALREADY_TAKEN, Refusal.ALREADY_CLOSED)
            return KeyOutcome.ALREADY_TAKEN if refused else KeyOutcome.UNKNOWN
        return KeyOutcome.TAKEN

    async def on_key(self, key: KeyPress) -> None:
        """From the inbox: the route acted on it already, unless the process died in between."""
        found = await self._database.read(lambda conn: attempts.find(conn, key.attempt_id))
        if found is None or found.state is not AttemptState.TAKEN:
            await self.key_pressed(key.attempt_id, key.digits)

    async def on_reply(self, reply: Reply) -> None:
        """A text from a worker: `1` or `1 K7F3P` goes, `2` cannot. Without a code: the newest page to his number."""
        words = reply.text.strip().lower().split()
        if words and await self._household_answered(reply, words):
            return
        verb = None
        if words and words[0].startswith(reply_goes):
            verb = Verb.ACCEPT
        elif words and words[0].startswith(reply_declines):
            verb = Verb.DECLINE
        if verb is None:
            return
        code = words[-1].upper() if len(words) > 1 else ""
        found = await self._database.read(lambda conn: _replied(conn, reply.address, code))
        if found is None:
            return
        claimed, name = found
        recipient = claimed.submission.recipient_id
        done = await self._act(claimed.submission.incident_id, verb, Actor(recipient, name, "sms", recipient), {})
        self._taken(claimed, done)

    async def _household_answered(self, reply: Reply, words: list[str]) -> bool:
        """The newest question to a number counts: a household's, where no worker's page is open there."""
        code = words[-1].upper() if len(words) > 1 else ""
        worker = await self._database.read(lambda conn: _replied(conn, reply.address, code))
        return worker is None and await self._household_replied(reply.address, words[0])

    def _taken(self, claimed: attempts.Claimed, done: Done | Refused) -> None:
        if isinstance(done, Refused):
            return
        now = self._clock.now()
        submission = claimed.submission
        change = attempts.Change(submission.attempt_id, AttemptState.TAKEN, taken_at=now, answered_at=now)
        self._recorder.record(Outcome(change, submission.notification_id, submission.incident_id))


def _whose(conn: Connection, attempt_id: str) -> tuple[attempts.Claimed, str] | None:
    claimed = attempts.find(conn, attempt_id)
    if claimed is None:
        return None
    person = people.get(conn, claimed.submission.recipient_id)
    return claimed, person.name if person else claimed.submission.recipient_id


def _replied(conn: Connection, address: str, code: str) -> tuple[attempts.Claimed, str] | None:
    for attempt_id, _, incident_id in attempts.latest_to(conn, address):
        found = incidents.brief(conn, incident_id)
        if found is not None and found[1] not in (Work.CLOSED, Work.EVALUATED) and code in ("", found[0]):
            return _whose(conn, attempt_id)
    return None
