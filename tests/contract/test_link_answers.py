"""A worker's link: who may use it, until when; and being told again, within limits."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest_asyncio
from sqlalchemy import Connection, select, update

from alerting.answer_links import AnswerLinks, open_place, without_links
from alerting.channels.base import Wording
from alerting.link_answers import Choice, LinkAnswers, Sheet, Standing, Told
from alerting.ports import Priority
from alerting.repeating import Repeats, attempts_max, call_gap_s, gap_s
from alerting.store import tables
from devices.model import Channel
from devices.store.tables import people
from gengfu.clock import RandomIds, SystemClock
from tests.contract.channel_suite import make_submission
from tests.contract.inbox_support import Desk, desk_on
from tests.contract.test_answers import Told as Answering

ATTEMPT = "abcdefghijklm"
LINKS = AnswerLinks("a secret of the deployment", "https://gengfu.test/")


class Turned(SystemClock):
    ahead = timedelta()

    def now(self):  # type: ignore[no-untyped-def]
        return super().now() + self.ahead


class Bench:
    """The page over a real database."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.clock = Turned()
        self.answering = Answering(desk)
        self.repeats = Repeats(
            database=desk.database,
            clock=self.clock,
            ids=RandomIds(),
            wake=lambda conn, word: None,
            wake_at=lambda due: None,
        )
        self.by_link = LinkAnswers(
            database=desk.database,
            clock=self.clock,
            links=LINKS,
            answers=self.answering.answers,
            repeats=self.repeats,
        )
        self.notification_id = ""

    @property
    def token(self) -> str:
        return LINKS.worker_token(self.notification_id)

    async def page(self, channel: Channel = Channel.SMS, **values: Any) -> None:
        """A fire of which `worker` was told."""
        await self.desk.attempt(ATTEMPT, channel, **values)
        query = select(tables.attempts.c.notification_id)
        self.notification_id = str(await self.desk.database.read(lambda conn: conn.scalar(query)))
        row = {"id": "worker", "kind": "worker", "code": "W1", "name": "网格员甲", "name_en": "A", "language": "zh-CN"}
        place = {"zh": "金鼎小区3栋", "en": "Jinding B3", "spoken_zh": "", "spoken_en": ""}

        def work(conn: Connection) -> None:
            conn.execute(people.insert().values(**row))
            conn.execute(update(tables.incidents).values(place_text=place))

        await self.desk.database.write(Priority.ADMINISTRATION, work)

    async def change(self, table: Any, **values: Any) -> None:
        statement = update(table).values(**values)
        await self.desk.database.write(Priority.ADMINISTRATION, lambda conn: conn.execute(statement))

    async def attempts(self) -> list[Any]:
        query = select(tables.attempts).order_by(tables.attempts.c.number)
        return await self.desk.database.read(lambda conn: list(conn.execute(query)))


@pytest_asyncio.fixture
async def bench(migrated_url: str) -> AsyncIterator[Bench]:
    async with desk_on(migrated_url) as desk:
        yield Bench(desk)


def test_a_token_says_nothing_and_cannot_be_made_up() -> None:
    ids = RandomIds()
    known = [ids.uuid7() for _ in range(100)]
    tokens = {LINKS.worker_token(each) for each in known}
    assert len(tokens) == 100
    assert {len(token) for token in tokens} == {22}
    assert [LINKS.notification_of(LINKS.worker_token(each)) for each in known] == known
    assert len({token[:8] for token in tokens}) == 100, "ids of one moment share their beginning, tokens do not"
    stranger = AnswerLinks("another secret").worker_token(known[0])
    assert LINKS.notification_of(stranger) not in known
    assert AnswerLinks("").notification_of(LINKS.worker_token(known[0])) is None
    for nonsense in ("", "a", "_" * 21, "~" * 22, "é" * 22, "a" * 22 + "="):
        assert LINKS.notification_of(nonsense) is None


def test_the_open_place_is_filled_with_the_same_length() -> None:
    notification_id = RandomIds().uuid7()
    made = make_submission(Channel.SMS, 1, f"FIRE {LINKS.open_link}", "+85291234567")
    made = replace(made, notification_id=notification_id, wording=Wording("page", {"link": LINKS.open_link}))
    filled = LINKS.filled(made)
    assert filled.text == f"FIRE https://gengfu.test/a/{LINKS.worker_token(notification_id)}"
    assert len(filled.text) == len(made.text)
    assert filled.wording is not None
    assert open_place not in filled.wording.variables["link"]
    plain = replace(made, text="FIRE", wording=None)
    assert LINKS.filled(plain) is plain
    assert LINKS.worker_token(notification_id) not in without_links(filled.text)
    assert AnswerLinks("secret", "").open_link == ""


async def test_it_shows_what_the_message_was_about(bench: Bench) -> None:
    await bench.page()
    sheet = await bench.by_link.shown(bench.token)
    assert isinstance(sheet, Sheet)
    assert (sheet.asked.name, sheet.asked.place.zh, sheet.standing) == ("网格员甲", "金鼎小区3栋", Standing.OPEN)
    assert bench.answering.acts == []


async def test_a_tap_is_the_persons_own_act(bench: Bench) -> None:
    await bench.page()
    for choice, told in ((Choice.GOING, Told.GOING), (Choice.CANNOT, Told.DECLINED)):
        sheet = await bench.by_link.answered(bench.token, choice)
        assert sheet is not None
        assert sheet.told is told
    assert [(verb.value, who, via) for verb, who, via in bench.answering.acts] == [
        ("accept", "worker", "link"),
        ("decline", "worker", "link"),
    ]


async def test_it_ends_after_twelve_hours_and_when_it_is_over(bench: Bench) -> None:
    await bench.page()
    bench.clock.ahead = timedelta(hours=11, minutes=59)
    assert await bench.by_link.shown(bench.token) is not None
    bench.clock.ahead = timedelta(hours=12, minutes=1)
    assert await bench.by_link.shown(bench.token) is None
    assert await bench.by_link.answered(bench.token, Choice.GOING) is None
    bench.clock.ahead = timedelta()
    await bench.change(tables.incidents, work="closed")
    for choice in Choice:
        sheet = await bench.by_link.answered(bench.token, choice)
        assert sheet is not None
        assert (sheet.standing, sheet.told) == (Standing.OVER, Told.NOT_NOW)
    assert bench.answering.acts == []


async def test_who_was_only_told_cannot_answer(bench: Bench) -> None:
    await bench.page()
    await bench.change(tables.notifications, purpose="update")
    assert await bench.by_link.shown(bench.token) is None
    assert await bench.by_link.answered(bench.token, Choice.GOING) is None


async def test_the_second_one_is_told_who_goes(bench: Bench) -> None:
    await bench.page()
    await bench.change(tables.incidents, work="taken", taken_by="worker")
    sheet = await bench.by_link.shown(bench.token)
    assert sheet is not None
    assert (sheet.standing, sheet.asked.who_goes) == (Standing.YOURS, "网格员甲")
    await bench.change(tables.notifications, recipient_id="worker")
    await bench.change(tables.incidents, taken_by="somebody-else")
    sheet = await bench.by_link.shown(bench.token)
    assert sheet is not None
    assert sheet.standing is Standing.TAKEN


async def test_told_again_is_a_further_attempt_after_the_gap(bench: Bench) -> None:
    await bench.page(state="delivered", rank=8)
    sheet = await bench.by_link.answered(bench.token, Choice.AGAIN)
    assert sheet is not None
    assert sheet.told is Told.AGAIN
    first, again = await bench.attempts()
    assert (again.number, again.reason, again.state) == (2, "asked_again", "planned")
    assert 0 <= (again.due_at - first.planned_at).total_seconds() - gap_s < 10
    assert again.id != first.id
    await bench.by_link.answered(bench.token, Choice.AGAIN)
    assert len(await bench.attempts()) == 2, "it is on its way anyhow"


async def test_a_call_is_not_made_again_before_the_carriers_gap(bench: Bench) -> None:
    await bench.page(Channel.VOICE, state="failed", rank=7)
    assert await bench.repeats.again(bench.notification_id)
    first, again = await bench.attempts()
    assert 0 <= (again.due_at - first.planned_at).total_seconds() - call_gap_s < 10


async def test_nobody_is_told_without_end_or_after_somebody_goes(bench: Bench) -> None:
    await bench.page(state="delivered", rank=8, number=attempts_max)
    assert await bench.repeats.again(bench.notification_id) is False
    await bench.change(tables.attempts, number=1)
    await bench.change(tables.incidents, work="taken", taken_at=SystemClock().now() + timedelta(seconds=1))
    assert await bench.repeats.again(bench.notification_id) is False
    assert await bench.repeats.again("nobody-knows-it") is False
    assert len(await bench.attempts()) == 1
