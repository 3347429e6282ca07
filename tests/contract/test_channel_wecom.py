"""WeCom cards against the emulator: the shared suite, the token, limits that swallow, cards that change."""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace

import aiohttp
import pytest
import pytest_asyncio

from alerting.app_targets import AppTargets
from alerting.channels import buttons
from alerting.channels.base import Accepted, Busy, HealthWord, KeyPress, Rejected, Scope, Submission, Unknown
from alerting.channels.providers import TABLE
from alerting.channels.providers.wecom import build, callbacks
from alerting.channels.providers.wecom_app import CAPS, WecomApp
from alerting.channels.providers.wecom_settings import WecomSettings
from alerting.stream import Hub
from devices.model import Channel, Language
from gengfu import vendors
from gengfu.clock import SystemClock
from simulators.emulating import FaultKind
from simulators.phone import CardReceived
from simulators.wecom import WecomEmulator
from tests.contract.channel_suite import Bench, EmulatorBench, VendorBench, VendorSuite, deadline_s, make_submission
from tests.support import wecom as made_up
from tests.support.listening import Listener, listening

who = "GridWorkerJia"


def submission(n: int = 0, user: str = who, text: str | None = None, **changed: object) -> Submission:
    made = make_submission(Channel.APP, n, text or made_up.page(n), "", target={"user_id": user})
    return replace(made, **changed)  # type: ignore[arg-type]


class WecomBench(EmulatorBench):
    refusals: Mapping[str, Scope] = {
        "81013": Scope.NUMBER,
        "60111": Scope.NUMBER,
        "60020": Scope.ACCOUNT,
        "40056": Scope.ACCOUNT,
        "48002": Scope.ACCOUNT,
        "45002": Scope.TEXT,
        "987654": Scope.ACCOUNT,
    }
    limits: Mapping[str, Busy] = {"45009": Busy(60.0), "45033": Busy(1.0)}
    strange_ref = "no-such-message"
    keeps_references = False

    def submission(self, n: int = 0) -> Submission:
        return submission(n, f"member-{n}")

    def lag(self, seconds: float) -> None:
        return


@pytest_asyncio.fixture
async def company() -> AsyncIterator[WecomEmulator]:
    async with made_up.company(SystemClock().now) as emulator:
        yield emulator


@pytest_asyncio.fixture
async def app(company: WecomEmulator) -> AsyncIterator[WecomApp]:
    provider = built(made_up.settings_for(company.base_url))
    await provider.check()  # the token is there: what follows meets the messages alone
    yield provider
    await provider.close()


@pytest_asyncio.fixture
async def listener() -> AsyncIterator[Listener]:
    heard = callbacks(made_up.settings_for("http://127.0.0.1:9"))
    async with listening(heard, SystemClock(), "/callbacks/wecom/events") as listener:
        yield listener


def built(settings: WecomSettings) -> WecomApp:
    provider = build(settings)[Channel.APP]
    assert isinstance(provider, WecomApp)
    return provider


async def shown(company: WecomEmulator, count: int = 1) -> list[CardReceived]:
    await company.until(lambda phones: len(phones.cards) >= count)
    return company.phones.cards


class TestWecom(VendorSuite):
    @pytest.fixture
    def vendor_bench(self, app: WecomApp, company: WecomEmulator) -> VendorBench:
        return WecomBench(app, company)

    @pytest.fixture
    def bench(self, vendor_bench: VendorBench) -> Bench:
        return vendor_bench


async def test_a_page_shows_where_what_when_and_two_buttons(app: WecomApp, company: WecomEmulator) -> None:
    sent = submission(3)
    assert isinstance(await app.submit(sent, deadline_s), Accepted)
    (card,) = await shown(company)
    assert (card.to, card.attempt, card.title) == (who, sent.attempt_id, "火警：金鼎小区3栋2单元1201室厨房")
    assert "确认起火立即拨打119" in card.body
    assert card.rows == (("地点", "金鼎小区3栋2单元1201室厨房"), ("时间", "03:12"), ("编号", "K7F3P"), ("地图", "查看"))
    assert [button.label for button in card.buttons] == ["出发", "无法前往"]
    assert all(sent.attempt_id in button.key for button in card.buttons)


async def test_the_persons_language_is_on_the_card(app: WecomApp, company: WecomEmulator) -> None:
    await app.submit(submission(language=Language.EN), deadline_s)
    (card,) = await shown(company)
    assert [button.label for button in card.buttons] == ["Going", "Cannot go"]
    assert [name for name, _ in card.rows] == ["Place", "Time", "Ref", "Map"]


async def test_who_is_told_only_gets_no_button(app: WecomApp, company: WecomEmulator) -> None:
    for text in (made_up.page(asks=False), made_up.page(asks=False, map_url="")):
        assert isinstance(await app.submit(submission(text=text), deadline_s), Accepted)
    for card in await shown(company, 2):
        assert card.buttons == ()
        assert "火警" in card.title
        assert "烟感报警" in card.body


async def test_without_callback_secrets_a_card_leads_to_the_answer_page(company: WecomEmulator) -> None:
    provider = built(replace(made_up.settings_for(company.base_url), token=None, encoding_aes_key=None))
    link = "https://gengfu.example.org/a/AbCdEfGhIjKlMnOp"
    await provider.submit(submission(text=made_up.page(answer_url=link)), deadline_s)
    (card,) = await shown(company)
    assert [(button.label, button.url, button.key) for button in card.buttons] == [("打开并答复", link, "")]
    await provider.close()


async def test_who_goes_is_written_on_the_older_cards(app: WecomApp, company: WecomEmulator) -> None:
    await app.submit(submission(1), deadline_s)
    await app.submit(submission(2, incident_id="incident-2"), deadline_s)
    await app.submit(submission(3, "somebody-else"), deadline_s)
    told = made_up.page(asks=False, body="网格员乙已前往。警情时间03:12，您无需前往。")
    await app.submit(submission(4, text=told), deadline_s)
    await company.until(lambda phones: any(card.said for card in phones.cards))
    assert [card.said for card in company.phones.cards] == ["网格员乙已前往", "", "", ""]


async def test_a_recalled_card_disappears(app: WecomApp, company: WecomEmulator) -> None:
    answer = await app.submit(submission(), deadline_s)
    assert isinstance(answer, Accepted)
    assert await app.cancel(answer.provider_ref) is True
    assert company.phones.cards[0].recalled


@pytest.mark.parametrize("lists", [False, True])
async def test_an_unknown_member_is_the_persons_fault_also_within_errcode_0(lists: bool) -> None:
    async with made_up.company(SystemClock().now, members=frozenset({who})) as company:
        company.lists_unknown = lists
        provider = built(made_up.settings_for(company.base_url))
        assert isinstance(await provider.submit(submission(), deadline_s), Accepted)
        answer = await provider.submit(submission(1, "left-the-company"), deadline_s)
        assert answer == Rejected("user_unknown", Scope.NUMBER, "invaliduser" if lists else "81013")
        await provider.close()


async def test_nobody_to_write_to_and_nothing_to_write(app: WecomApp, company: WecomEmulator) -> None:
    assert await app.submit(submission(target={}), deadline_s) == Rejected("no_user_id", Scope.SESSION)
    for text in ("火警", "[]", '{"title": 7}'):
        assert await app.submit(submission(text=text), deadline_s) == Rejected("message_unreadable", Scope.TEXT)
    assert len(company.ledger.rows) == 0


async def test_the_token_is_fetched_once_for_all(company: WecomEmulator) -> None:
    provider = built(made_up.settings_for(company.base_url))
    answers = await asyncio.gather(*(provider.submit(submission(n, f"m{n}"), 10.0) for n in range(50)))
    assert all(isinstance(answer, Accepted) for answer in answers)
    assert company.tokens_given == 1
    await provider.close()


async def test_a_refused_token_is_renewed_once_for_all_and_no_message_goes_twice(
    app: WecomApp, company: WecomEmulator
) -> None:
    company.end_tokens()
    sent = [submission(n, f"m{n}") for n in range(20)]
    answers = await asyncio.gather(*(app.submit(each, 10.0) for each in sent))
    assert all(isinstance(answer, Accepted) for answer in answers)
    assert company.tokens_given == 2
    assert sorted(card.attempt or "" for card in await shown(company, 20)) == sorted(each.attempt_id for each in sent)


async def test_a_token_that_is_refused_again_is_not_asked_for_for_ever(app: WecomApp, company: WecomEmulator) -> None:
    company.faults.set(FaultKind.ERROR, code=42001)
    answer = await app.submit(submission(), deadline_s)
    assert answer == Rejected("access_token", Scope.ACCOUNT, "42001")
    assert len(company.ledger.rows) == 2


async def test_a_token_near_its_end_is_renewed_and_the_old_one_serves_meanwhile(company: WecomEmulator) -> None:
    company.token_lives_s = 0
    provider = built(made_up.settings_for(company.base_url))
    await provider.check()
    company.token_lives_s = 7_200
    assert isinstance(await provider.submit(submission(), deadline_s), Accepted)
    await provider.close()


async def test_without_a_token_nothing_was_sent(company: WecomEmulator) -> None:
    provider = built(made_up.settings_for(company.base_url))
    company.faults.set(FaultKind.STATUS_500, reads=True)
    assert isinstance(await provider.submit(submission(), deadline_s), Busy)
    company.faults.clear()
    company.faults.set(FaultKind.SILENCE, reads=True)
    assert isinstance(await provider.submit(submission(), 0.1), Busy)
    assert len(company.ledger.rows) == 0
    await provider.close()


@pytest.mark.parametrize(("changed", "code"), [({"secret": "wrong"}, "40001"), ({"corp_id": "wrong"}, "40013")])
async def test_wrong_credentials_are_the_accounts_fault(
    company: WecomEmulator, changed: dict[str, str], code: str
) -> None:
    provider = built(replace(made_up.settings_for(company.base_url), **changed))  # type: ignore[arg-type]
    answer = await provider.submit(submission(), deadline_s)
    assert isinstance(answer, Rejected)
    assert (answer.scope, answer.code) == (Scope.ACCOUNT, code)
    assert not (await provider.check()).usable
    await provider.close()


async def test_what_exceeds_a_members_limit_vanishes_and_the_ledger_knows_the_limit(
    app: WecomApp, company: WecomEmulator
) -> None:
    assert [(window.most, window.seconds) for window in CAPS.windows] == [(30, 60.0), (1_000, 3_600.0)]
    for n in range(31):
        assert isinstance(await app.submit(submission(n), deadline_s), Accepted)
    await company.until(lambda phones: len(phones.cards) == 30)
    assert company.dropped == {who: 1}


async def test_an_identical_request_is_shown_once(app: WecomApp, company: WecomEmulator) -> None:
    """A relay in between may repeat a request: two of them are one message, two attempts are two."""
    sent = submission()
    first, second = await app.submit(sent, deadline_s), await app.submit(sent, deadline_s)
    assert first == second
    await app.submit(replace(sent, attempt_id="0000000000001"), deadline_s)
    assert len(await shown(company, 2)) == 2


async def test_the_account_is_looked_at(app: WecomApp, company: WecomEmulator) -> None:
    health = await app.check()
    assert health.usable
    assert {finding.about for finding in health.findings} == {"credentials", "agent", "callback"}
    company.switched_off = True
    assert not (await app.check()).usable
    company.address_trusted = False
    (address, _) = (await app.check()).findings
    assert (address.about, address.word) == ("trusted_ip", HealthWord.FAULT)
    assert "企业可信IP" in address.detail
    company.faults.set(FaultKind.STATUS_500, reads=True)
    assert (await app.check()).usable


async def test_logs_and_reprs_hold_no_secret_and_no_message(
    company: WecomEmulator, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    settings = made_up.settings_for(company.base_url)
    provider = built(settings)
    company.faults.set(FaultKind.ERROR, code=45002, count=1)
    await provider.submit(submission(), deadline_s)
    await provider.check()
    await provider.close()
    written = caplog.text + repr(settings)
    assert "text_too_long" in written
    for kept in (made_up.secret, made_up.token, made_up.encoding_aes_key, "1201", who):
        assert kept not in written


def test_the_table_names_what_builds_wecom() -> None:
    vendor = TABLE["wecom"]
    assert vendor.settings is WecomSettings
    assert vendor.callbacks is not None


async def test_an_answer_without_a_reference_proves_nothing(app: WecomApp, company: WecomEmulator) -> None:
    company.faults.set(FaultKind.ERROR, code=0, count=1)
    assert await app.submit(submission(), deadline_s) == Unknown("unreadable_answer")


async def test_a_pressed_button_comes_back_as_the_key_of_this_very_attempt(
    app: WecomApp, company: WecomEmulator, listener: Listener
) -> None:
    company.callback_url = listener.url
    assert await company.check_address()
    sent = submission()
    await app.submit(sent, deadline_s)
    (card,) = await shown(company)
    await company.press(card, "无法前往")
    ((stored,),) = listener.stored
    assert app.parse_callback(stored.kind, stored.attempt_id, stored.form) == [KeyPress(sent.attempt_id, "2")]
    assert (card.said, company.replies) == ("已收到：无法前往", ["已收到：无法前往"])


async def test_repeated_and_reordered_presses_keep_their_names(
    app: WecomApp, company: WecomEmulator, listener: Listener
) -> None:
    company.callback_url = listener.url
    await app.submit(submission(), deadline_s)
    (card,) = await shown(company)
    company.faults.set(FaultKind.DOUBLED_CALLBACK, count=1)
    await company.press(card, "出发")
    first, again = (stored.dedupe for (stored,) in listener.stored)
    assert first == again


def test_the_worker_role_reads_what_is_pressed_on_cards_that_another_process_sent() -> None:
    """Only the API's process sends app messages; callbacks are folded by the worker's."""
    settings = made_up.settings_for("http://127.0.0.1:9")
    targets = AppTargets(None, SystemClock())  # type: ignore[arg-type]
    carriers = vendors.build({"wecom": settings}, frozenset({"worker"}), Hub(lambda: "s"), targets=targets)
    assert Channel.APP not in carriers.channels
    key = buttons.key(made_up.encoding_aes_key, "A1B2C3D4E5F6G", who, "1", "zh-CN")
    reader = carriers.by_vendor()["wecom"]
    assert reader.parse_callback("card", "A1B2C3D4E5F6G", {"key": key, "user": who}) == [KeyPress("A1B2C3D4E5F6G", "1")]


async def test_another_process_sees_the_cards_and_presses(
    app: WecomApp, company: WecomEmulator, listener: Listener
) -> None:
    company.callback_url = listener.url
    await app.submit(submission(), deadline_s)
    (card,) = await shown(company)
    control = f"{company.base_url}/_emulator"
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{control}/cards", params={"user": who}) as answer:
            assert [each["ref"] for each in await answer.json()] == [card.ref]
        for label, status in (("出发吗", 400), ("出发", 200), ("出发", 400)):
            async with session.post(f"{control}/press", json={"ref": card.ref, "label": label}) as answer:
                assert answer.status == status, label
    assert len(listener.stored) == 1
