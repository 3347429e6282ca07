"""Telephones and the people who hold them: receipts late, doubled and out of order; keys, replies, taps, voicemail.

Whatever a person really says is told to the truth before the service hears of it.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from alerting.channels.base import Submission
from alerting.core.model import Actor
from devices.model import Channel
from tests.simulation.calls import fold_s
from tests.simulation.deeds import AFTER_GOING, ANSWERS, AT_RANDOM, FOLLOWING, By, Deed
from tests.simulation.laws import ANYBODY

if TYPE_CHECKING:
    from tests.simulation.schedule import Schedule

SMS_RECEIPTS = (("sent", "delivered"), ("delivered", "sent"), ("sent",), ("failed",), ())
CALLS = (
    ("ringing", "answered", "completed"),
    ("ringing", "no_answer"),
    ("ringing", "busy"),
    ("completed", "answered"),
    ("failed",),
    (),
)
ENDS = frozenset({"no_answer", "busy", "completed", "failed"})
silent_call_s = 20.0
"""A call that nothing is reported of rings so long."""
KEY_OF = {"accept": "1", "decline": "2"}
CONSOLE = Actor("login-1", "消控室值班员", "console")


class Phones:
    """`delivered` is what the carriers tell when something reaches a phone."""

    def __init__(self, world: "Schedule") -> None:
        self._world = world
        self._told = 0

    def delivered(self, submission: Submission, carrier: str) -> None:
        dice = self._world.dice
        deed = dice.choices([deed for deed, _ in ANSWERS], [weight for _, weight in ANSWERS])[0]
        deed = None if self._world.sleepers else deed
        if submission.channel is Channel.SMS:
            self._receipts(submission, dice.choice(SMS_RECEIPTS), carrier)
        elif submission.channel is Channel.VOICE:
            self._receipts(submission, CALLS[0] if deed is not None else dice.choice(CALLS), carrier)
        if deed is not None:
            self._later(dice.uniform(2, 90), deed, submission, carrier)

    def at_random(self) -> None:
        """Somebody does something with some incident, possible or not."""
        world = self._world
        known = sorted(world.judge.standing)
        if known:
            deed = world.dice.choices(AT_RANDOM, [each.weight for each in AT_RANDOM])[0]
            person = world.dice.choice(sorted(world.truth.roster.contacts)) if deed.by is By.WORKER else None
            self.act(world.dice.choice(known), deed, person, "console")

    def act(self, incident_id: str, deed: Deed, person: str | None, via: str) -> None:
        """One act on one incident by tap, link or console."""
        world = self._world
        actor = CONSOLE
        if person is not None:
            actor = Actor(person, person, via, person)
            world.truth.said.add((incident_id, person, deed.verb.value))
        detail = deed.detail(world.dice, sorted(world.truth.roster.contacts))
        world.ask(lambda service: service.act(incident_id, deed.verb, actor, detail))
        if person is None and deed.verb in FOLLOWING and world.dice.random() < 0.5:
            following = world.dice.choice(FOLLOWING[deed.verb])
            moment = world.loop.time() + world.dice.uniform(20, 300)
            world.at(moment, lambda: self.act(incident_id, following, None, "console"))

    def _later(self, delay: float, deed: Deed, submission: Submission, carrier: str) -> None:
        world = self._world
        world.at(world.loop.time() + delay, lambda: self._answer(deed, submission, carrier))

    def _answer(self, deed: Deed, submission: Submission, carrier: str) -> None:
        world, verb = self._world, deed.verb.value
        if world.calls.was_hung_up(submission.attempt_id):
            return
        key = KEY_OF.get(verb)
        if key is not None and submission.channel is Channel.VOICE:
            self._press(key, verb, submission, carrier)
        elif key is not None and submission.channel is Channel.SMS:
            self._reply(key, verb, submission, carrier)
        else:
            self.act(submission.incident_id, deed, submission.recipient_id, "app")
        if verb in ("accept", "arrive"):
            for following, chance, earliest, latest in AFTER_GOING:
                if world.dice.random() < chance:
                    self._goes_on(following, world.dice.uniform(earliest, latest), submission)

    def _goes_on(self, deed: Deed, delay: float, submission: Submission) -> None:
        world = self._world
        world.at(
            world.loop.time() + delay,
            lambda: self.act(submission.incident_id, deed, submission.recipient_id, "app"),
        )

    def _press(self, key: str, verb: str, submission: Submission, carrier: str) -> None:
        world = self._world
        world.truth.said.add((submission.incident_id, submission.recipient_id, verb))
        if world.dice.random() < 0.9:
            world.ask(lambda service: service.answers.key_pressed(submission.attempt_id, key))
        self._callback("key", submission, {"digits": key}, world.dice.uniform(0, 2), carrier)

    def _reply(self, key: str, verb: str, submission: Submission, carrier: str) -> None:
        world = self._world
        code = world.reference_of(submission.incident_id) if world.dice.random() < 0.7 else ""
        incident = submission.incident_id if code else ANYBODY
        world.truth.said.add((incident, submission.recipient_id, verb))
        form = {"address": submission.address, "text": f"{key} {code}".strip()}
        self._callback("reply", submission, form, world.dice.uniform(0, 3), carrier)

    def _receipts(self, submission: Submission, receipts: tuple[str, ...], carrier: str) -> None:
        dice, over = self._world.dice, silent_call_s
        delay = 0.0
        for receipt in receipts:
            delay += dice.uniform(0.05, 25)
            over = delay if receipt in ENDS else over
            for _ in range(dice.choice((1, 1, 1, 1, 2))):
                self._callback("receipt", submission, {"receipt": receipt}, delay, carrier)
        self._world.calls.ends_in(submission.attempt_id, over)

    def _callback(self, kind: str, submission: Submission, form: Mapping[str, str], delay: float, carrier: str) -> None:
        """A provider calls back; while we are down it tries again now and then, and in the end gives up."""
        world = self._world
        self._told += 1
        dedupe = f"{kind}-{self._told // 2}"  # now and then two of them are the same word twice
        attempt = None if kind == "reply" else submission.attempt_id

        def call(tries: int = 3) -> None:
            if attempt is not None and world.calls.was_hung_up(attempt):
                return
            heard = world.ask(lambda service: service.inbox.append(carrier, kind, attempt, dedupe, dict(form)))
            if heard and attempt is not None and kind == "receipt":
                world.calls.known(attempt, fold_s)
            if not heard and tries:
                world.at(world.loop.time() + 6, lambda: call(tries - 1))

        world.at(world.loop.time() + delay, call)
