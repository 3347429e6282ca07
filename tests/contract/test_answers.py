"""What people text back: three answers, a stop, and nothing else."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from alerting.answers import Answers
from alerting.channels.base import KeyPress, Reply
from alerting.core.acts import Done, KeyOutcome, Verb
from alerting.core.model import Ack, Actor, Work
from alerting.ports import Priority
from alerting.recorder import Recorder
from devices.model import Channel
from devices.store.tables import contact_points, people
from gengfu.clock import SystemClock
from tests.contract.inbox_support import Desk, desk_on

NUMBER, STRANGER = "+8613800138000", "+8613900139000"
ATTEMPT = "abcdefghijklm"


class Told:
    """Real answers over a real database; what they lead to is written down."""

    def __init__(self, desk: Desk) -> None:
        self.acts: list[tuple[Verb, str, str]] = []
        self.again: list[str] = []
        self.households: list[tuple[str, str]] = []
        self.listening: list[str] = []
        self.answers = Answers(
            database=desk.database,
            recorder=Recorder(desk.database, lambda entries: None, lambda conn, word: None),
            clock=SystemClock(),
            act=self._act,
            pressed_elsewhere=self._nobody,
            household_pressed=self._household,
            household_replied=self._replied,
            again=self._again,
            listens=self.listening.append,
        )

    async def _act(self, incident_id: str, verb: Verb, actor: Actor, detail: dict[str, Any]) -> Done:
        self.acts.append((verb, actor.id, actor.via))
        return Done(incident_id, Work.TAKEN, Ack.NONE)

    async def _nobody(self, attempt_id: str, key: str) -> KeyOutcome:
        return KeyOutcome.UNKNOWN

    async def _household(self, attempt_id: str, key: str, via: str) -> KeyOutcome:
        return KeyOutcome.UNKNOWN

    async def _replied(self, address: str, text: str) -> bool:
        self.households.append((address, text))
        return False

    async def _again(self, notification_id: str) -> bool:
        self.again.append(notification_id)
        return True


@pytest_asyncio.fixture
async def desk(migrated_sqlite_url: str) -> AsyncIterator[Desk]:
    async with desk_on(migrated_sqlite_url) as desk:
        yield desk


@pytest.mark.parametrize(
    ("text", "verb"),
    [
        ("1", Verb.ACCEPT),
        ("１ ", Verb.ACCEPT),
        ("出发", Verb.ACCEPT),
        ("go", Verb.ACCEPT),
        ("2", Verb.DECLINE),
        ("不能", Verb.DECLINE),
        ("3", None),
        ("再发", None),
        ("again", None),
    ],
)
async def test_the_three_answers(desk: Desk, text: str, verb: Verb | None) -> None:
    await desk.attempt(ATTEMPT, Channel.SMS)
    told = Told(desk)
    await told.answers.on_reply(Reply(NUMBER, text, "SM1"))
    assert [each[0] for each in told.acts] == ([] if verb is None else [verb])
    assert len(told.again) == (1 if verb is None else 0)


@pytest.mark.parametrize("text", ["", "?", "误报", "false alarm", "4", "0", "9", "好的", "解除", "verify", "没有火"])
async def test_no_other_text_does_anything_and_none_records_a_false_alarm(desk: Desk, text: str) -> None:
    await desk.attempt(ATTEMPT, Channel.SMS)
    told = Told(desk)
    await told.answers.on_reply(Reply(NUMBER, text, "SM1"))
    assert (told.acts, told.again) == ([], [])


@pytest.mark.parametrize("digits", ["0", "4", "5", "6", "7", "8", "9", "*", "#", "", "99"])
async def test_no_other_key_does_anything(desk: Desk, digits: str) -> None:
    await desk.attempt(ATTEMPT)
    told = Told(desk)
    assert await told.answers.key_pressed(ATTEMPT, digits) is KeyOutcome.UNKNOWN
    assert told.acts == []


async def test_who_presses_three_is_told_again_where_the_line_cannot_repeat_it(desk: Desk) -> None:
    await desk.attempt(ATTEMPT)
    await desk.attempt("onthelineaaaa", provider="twilio")
    told = Told(desk)
    for attempt_id in (ATTEMPT, "onthelineaaaa", "nobodyknowsit"):
        await told.answers.on_key(KeyPress(attempt_id, "3"))
    assert (len(told.again), told.acts) == (1, [])


async def test_a_button_in_an_app_is_recorded_as_such(desk: Desk) -> None:
    await desk.attempt(ATTEMPT, Channel.APP)
    told = Told(desk)
    await told.answers.on_key(KeyPress(ATTEMPT, "1"))
    assert told.acts == [(Verb.ACCEPT, "worker", "app")]


async def test_every_way_to_answer_leads_to_going_or_not_going_alone(desk: Desk) -> None:
    """Whatever is pressed or written: a result is recorded by who has looked, never by these."""
    await desk.attempt(ATTEMPT)
    told = Told(desk)
    for digits in "0123456789*#":
        await told.answers.key_pressed(ATTEMPT, digits)
    for text in ("1", "2", "3", "误报", "false", "stop"):
        await told.answers.on_reply(Reply(NUMBER, text, text))
    assert {verb for verb, _, _ in told.acts} <= {Verb.ACCEPT, Verb.DECLINE}


async def test_a_stranger_is_ignored_and_answered_nothing(desk: Desk) -> None:
    await desk.attempt(ATTEMPT, Channel.SMS)
    told = Told(desk)
    for text in ("1", "2", "3", "hello"):
        await told.answers.on_reply(Reply(STRANGER, text, "SM1"))
    assert (told.acts, told.again) == ([], [])


@pytest.mark.parametrize("text", ["STOP", "stop", "退订", "TD", "Unsubscribe"])
async def test_stop_marks_the_number_and_answers_no_page(migrated_url: str, text: str) -> None:
    async with desk_on(migrated_url) as desk:
        await desk.attempt(ATTEMPT, Channel.SMS)
        await registered(desk)
        told = Told(desk)
        await told.answers.on_reply(Reply(NUMBER, text, "SM1"))
        assert (told.acts, told.again) == ([], [])
        query = contact_points.select().where(contact_points.c.address == NUMBER)
        row = await desk.database.read(lambda conn: conn.execute(query).one())
        assert row.unreachable_reason == "opted_out"


async def registered(desk: Desk) -> None:
    person = {"id": "worker", "kind": "worker", "code": "W1", "name": "网格员甲", "name_en": "A", "language": "zh-CN"}
    point = {"id": "p1", "person_id": "worker", "channel": "sms", "address": NUMBER}

    def work(conn: Any) -> None:
        conn.execute(people.insert().values(**person))
        conn.execute(contact_points.insert().values(**point))

    await desk.database.write(Priority.ADMINISTRATION, work)
