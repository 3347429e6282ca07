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
from alerting.ports import Clock, Database, Priority
from alerting.recorder import Outcome, Recorder
from alerting.store import attempts, incidents
from devices.model import Channel
from devices.store import marks, people

again_key = "3"
repeats_on_the_line = frozenset({"twilio"})
"""Their calls say it again at once; with all others, being told again is a further message or call."""
keys_remembered_max = 10_000
"""Pressed keys whose result is known: the inbox meets each of them a second time."""
reply_goes = ("1", "１", "go", "去", "出发")
reply_declines = ("2", "２", "no", "不能")
reply_again = ("3", "３", "again", "再发")
reply_stop = ("stop", "stopall", "unsubscribe", "cancel", "end", "quit", "td", "t", "退订")
"""Carriers keep what is sent to such a number back from then on."""

OfHousehold = Callable[[str, str, str], Awaitable[KeyOutcome]]
"""(attempt id, key, via): what a key means that a household pressed."""
OfNoWorker = Callable[[str, str], Awaitable[bool]]
"""(number, text): a text from a number that no page went to. False: nobody there was asked anything."""
ActOn = Callable[[str, Verb, Actor, dict[str, Any]], Awaitable[Done | Refused]]
"""(incident id, verb, actor, detail): the service's `act`."""


class Answers:
    """`pressed_elsewhere(attempt_id, key)`: what a key means on a call that belongs to no incident. `again`: tell the
    person of this notification once more. `listens(attempt_id)`: somebody is on this call, whatever its receipts say.

    A text that means nothing is never answered: nothing can be made to answer without end."""

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
        again: Callable[[str], Awaitable[bool]],
        listens: Callable[[str], None],
    ) -> None:
        self._database = database
        self._recorder = recorder
        self._clock = clock
        self._act = act
        self._pressed_elsewhere = pressed_elsewhere
        self._household_pressed = household_pressed
        self._household_replied = household_replied
        self._again = again
        self._listens = listens
        self._acting: dict[tuple[str, str], asyncio.Task[KeyOutcome]] = {}

    async def key_pressed(self, attempt_id: str, digits: str) -> KeyOutcome:
        """1 goes, 2 cannot, 3 again. Asking again with the same key is harmless."""
        key = digits[:1]
        self._listens(attempt_id)
        if key == again_key:
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
        recipient, via = claimed.submission.recipient_id, claimed.submission.channel.value
        actor = Actor(recipient, name, via, recipient)
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
        if key.digits[:1] == again_key:
            if found is not None and found.provider not in repeats_on_the_line:
                await self._again(found.submission.notification_id)
            return
        if found is None or found.state is not AttemptState.TAKEN:
            await self.key_pressed(key.attempt_id, key.digits)

    async def on_reply(self, reply: Reply) -> None:
        """A text from a worker: `1` or `1 K7F3P` goes, `2` cannot, `3` wants it once more. Without a code: the newest
        page to his number. From a number that nobody was asked at it means nothing."""
        words = reply.text.strip().lower().split()
        if words and words[0] in reply_stop:
            await self._opted_out(reply.address)
            return
        if words and await self._household_answered(reply, words):
            return
        verb = _verb(words)
        wants_again = bool(words) and words[0].startswith(reply_again)
        if verb is None and not wants_again:
            return
        code = words[-1].upper() if len(words) > 1 else ""
        found = await self._database.read(lambda conn: _replied(conn, reply.address, code))
        if found is None:
            return
        claimed, name = found
        recipient = claimed.submission.recipient_id
        if verb is None:
            await self._again(claimed.submission.notification_id)
            return
        done = await self._act(claimed.submission.incident_id, verb, Actor(recipient, name, "sms", recipient), {})
        self._taken(claimed, done)

    async def act_on(self, notification_id: str, incident_id: str, verb: Verb, actor: Actor) -> Done | Refused:
        """What the person whom this message asked has said in another way, committed when this returns."""
        done = await self._act(incident_id, verb, actor, {"notification": notification_id})
        claimed = await self._database.read(lambda conn: _newest(conn, notification_id))
        if claimed is not None:
            self._taken(claimed, done)
        return done

    async def _opted_out(self, address: str) -> None:
        """The carrier lets nothing through to him any more: whoever plans the duty must see it."""
        now = self._clock.now()
        await self._database.write(
            Priority.CALLBACK, lambda conn: marks.refuse(conn, Channel.SMS, address, "", marks.OPTED_OUT, now)
        )

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


def _newest(conn: Connection, notification_id: str) -> attempts.Claimed | None:
    newest = attempts.newest_of(conn, notification_id)
    return None if newest is None else attempts.find(conn, newest[0])


def _verb(words: list[str]) -> Verb | None:
    if words and words[0].startswith(reply_goes):
        return Verb.ACCEPT
    return Verb.DECLINE if words and words[0].startswith(reply_declines) else None


def _replied(conn: Connection, address: str, code: str) -> tuple[attempts.Claimed, str] | None:
    for attempt_id, _, incident_id in attempts.latest_to(conn, address):
        found = incidents.brief(conn, incident_id)
        if found is not None and found[1] not in (Work.CLOSED, Work.EVALUATED) and code in ("", found[0]):
            return _whose(conn, attempt_id)
    return None
