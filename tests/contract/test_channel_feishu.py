"""Feishu cards against the emulator: the shared suite, buttons, the buzz, receipts that are asked for."""

import logging
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace

import pytest
import pytest_asyncio

from alerting.channels.base import Accepted, Busy, KeyPress, Receipt, ReceiptKind, Rejected, Scope, Submission
from alerting.channels.providers import TABLE
from alerting.channels.providers.feishu import build, callbacks
from alerting.channels.providers.feishu_app import FeishuApp, id_type
from alerting.channels.providers.feishu_settings import FeishuSettings
from devices.model import Channel
from gengfu.clock import SystemClock
from simulators.emulating import FaultKind
from simulators.feishu import FeishuEmulator
from simulators.phone import CardReceived
from tests.contract.channel_suite import Bench, EmulatorBench, VendorBench, VendorSuite, deadline_s, make_submission
from tests.support import wecom as made_up
from tests.support.listening import Listener, listening

who = "ou_worker_jia"
link = "https://gengfu.example.org/a/AbCdEfGhIjKlMnOpQrStUv"
secret, encrypt_key, verification_token = "feishu-secret-that-stays", "feishu-encrypt-key", "feishu-token"


def settings_for(base_url: str) -> FeishuSettings:
    return FeishuSettings(
        app_id="cli_app",
        app_secret=secret,
        encrypt_key=encrypt_key,
        verification_token=verification_token,
        base_url=base_url,
    )


def submission(n: int = 0, user: str = who, text: str | None = None, **changed: object) -> Submission:
    made = make_submission(Channel.APP, n, text or made_up.page(n), "", target={"user_id": user})
    return replace(made, **changed)  # type: ignore[arg-type]


class FeishuBench(EmulatorBench):
    refusals: Mapping[str, Scope] = {
        "230013": Scope.NUMBER,
        "230034": Scope.NUMBER,
        "230053": Scope.NUMBER,
        "99991401": Scope.ACCOUNT,
        "99991672": Scope.ACCOUNT,
        "230022": Scope.TEXT,
        "230025": Scope.TEXT,
        "123456789": Scope.ACCOUNT,
    }
    limits: Mapping[str, Busy] = {"99991400": Busy(1.0), "230020": Busy(1.0, number_limit=True)}
    strange_ref = "om_no_such_message"
    keeps_references = False

    def submission(self, n: int = 0) -> Submission:
        return submission(n, f"ou_member_{n}")

    def lag(self, seconds: float) -> None:
        return


@pytest_asyncio.fixture
async def organisation() -> AsyncIterator[FeishuEmulator]:
    emulator = FeishuEmulator(
        app_id="cli_app",
        app_secret=secret,
        encrypt_key=encrypt_key,
        verification_token=verification_token,
        clock=SystemClock().now,
    )
    async with emulator:
        yield emulator


@pytest_asyncio.fixture
async def app(organisation: FeishuEmulator) -> AsyncIterator[FeishuApp]:
    provider = built(settings_for(organisation.base_url))
    await provider.check()
    yield provider
    await provider.close()


@pytest_asyncio.fixture
async def listener() -> AsyncIterator[Listener]:
    heard = callbacks(settings_for("http://127.0.0.1:9"))
    async with listening(heard, SystemClock(), "/callbacks/feishu/card") as listener:
        yield listener


def built(settings: FeishuSettings) -> FeishuApp:
    provider = build(settings)[Channel.APP]
    assert isinstance(provider, FeishuApp)
    return provider


async def shown(organisation: FeishuEmulator, count: int = 1) -> list[CardReceived]:
    await organisation.until(lambda phones: len(phones.cards) >= count)
    return organisation.phones.cards


class TestFeishu(VendorSuite):
    @pytest.fixture
    def vendor_bench(self, app: FeishuApp, organisation: FeishuEmulator) -> VendorBench:
        return FeishuBench(app, organisation)

    @pytest.fixture
    def bench(self, vendor_bench: VendorBench) -> Bench:
        return vendor_bench


async def test_a_page_shows_everything_and_buzzes(app: FeishuApp, organisation: FeishuEmulator) -> None:
    sent = submission(3)
    assert isinstance(await app.submit(sent, deadline_s), Accepted)
    (card,) = await shown(organisation)
    assert (card.to, card.attempt, card.title) == (who, sent.attempt_id, "火警：金鼎小区3栋2单元1201室厨房")
    for part in ("确认起火立即拨打119", "地点：金鼎小区3栋2单元1201室厨房", "时间：03:12", "编号：K7F3P"):
        assert part in card.body
    assert [button.label for button in card.buttons] == ["出发", "无法前往", "地图"]
    await organisation.until(lambda phones: phones.cards[0].urgent)


async def test_who_is_told_only_is_not_buzzed_and_has_no_answer(app: FeishuApp, organisation: FeishuEmulator) -> None:
    await app.submit(submission(text=made_up.page(asks=False, map_url="")), deadline_s)
    (card,) = await shown(organisation)
    assert (card.buttons, card.urgent) == ((), False)


async def test_without_callback_secrets_a_card_leads_to_the_answer_page(organisation: FeishuEmulator) -> None:
    provider = built(replace(settings_for(organisation.base_url), encrypt_key=None, urgent=False))
    await provider.submit(submission(text=made_up.page(answer_url=link, map_url="")), deadline_s)
    (card,) = await shown(organisation)
    assert [(button.label, button.url, button.key) for button in card.buttons] == [("打开并答复", link, "")]
    await provider.close()


async def test_a_pressed_button_comes_back_as_the_key_of_this_very_attempt(
    app: FeishuApp, organisation: FeishuEmulator, listener: Listener
) -> None:
    organisation.callback_url = listener.url
    assert await organisation.check_address()
    sent = submission()
    await app.submit(sent, deadline_s)
    (card,) = await shown(organisation)
    await organisation.press(card, "出发")
    ((stored,),) = listener.stored
    assert app.parse_callback(stored.kind, stored.attempt_id, stored.form) == [KeyPress(sent.attempt_id, "1")]
    assert organisation.toasts == ["已收到：出发"]


async def test_somebody_elses_thumb_says_nothing(
    app: FeishuApp, organisation: FeishuEmulator, listener: Listener
) -> None:
    organisation.callback_url = listener.url
    await app.submit(submission(), deadline_s)
    (card,) = await shown(organisation)
    await organisation.press(card, "出发", by="ou_somebody_else")
    ((stored,),) = listener.stored
    assert app.parse_callback(stored.kind, stored.attempt_id, stored.form) == []
    assert organisation.toasts == []


async def test_repeated_presses_have_one_name(app: FeishuApp, organisation: FeishuEmulator, listener: Listener) -> None:
    organisation.callback_url = listener.url
    await app.submit(submission(), deadline_s)
    (card,) = await shown(organisation)
    organisation.faults.set(FaultKind.DOUBLED_CALLBACK, count=1)
    await organisation.press(card, "无法前往")
    first, again = (stored.dedupe for (stored,) in listener.stored)
    assert first == again


async def test_who_goes_is_written_on_the_older_cards(app: FeishuApp, organisation: FeishuEmulator) -> None:
    await app.submit(submission(1), deadline_s)
    await app.submit(submission(2, incident_id="incident-2"), deadline_s)
    told = made_up.page(asks=False, body="网格员乙已前往。警情时间03:12，您无需前往。")
    await app.submit(submission(3, text=told), deadline_s)
    await organisation.until(lambda phones: any(card.said for card in phones.cards))
    assert ["网格员乙已前往" in card.said for card in organisation.phones.cards] == [True, False, False]
    assert [button.label for button in organisation.phones.cards[0].buttons] == ["地图"]


async def test_the_same_attempt_twice_is_shown_once(app: FeishuApp, organisation: FeishuEmulator) -> None:
    sent = submission()
    assert await app.submit(sent, deadline_s) == await app.submit(sent, deadline_s)
    assert len(await shown(organisation)) == 1


async def test_having_read_it_is_a_receipt_and_never_an_answer(app: FeishuApp, organisation: FeishuEmulator) -> None:
    sent = submission()
    answer = await app.submit(sent, deadline_s)
    assert isinstance(answer, Accepted)
    assert await app.poll(sent, answer.provider_ref) == []
    (card,) = await shown(organisation)
    organisation.read(card)
    (receipt,) = await app.poll(sent, answer.provider_ref)
    assert isinstance(receipt, Receipt)
    assert (receipt.kind, receipt.attempt_id) == (ReceiptKind.DELIVERED, sent.attempt_id)
    assert receipt.at is not None


async def test_a_card_is_recalled(app: FeishuApp, organisation: FeishuEmulator) -> None:
    answer = await app.submit(submission(), deadline_s)
    assert isinstance(answer, Accepted)
    assert await app.cancel(answer.provider_ref) is True
    assert organisation.phones.cards[0].recalled


async def test_a_refused_token_is_renewed_and_no_message_goes_twice(
    app: FeishuApp, organisation: FeishuEmulator
) -> None:
    organisation.end_tokens()
    assert isinstance(await app.submit(submission(), deadline_s), Accepted)
    assert organisation.tokens_given == 2
    assert len(await shown(organisation)) == 1


async def test_the_account_is_looked_at(app: FeishuApp, organisation: FeishuEmulator) -> None:
    assert (await app.check()).usable
    organisation.active = False
    assert not (await app.check()).usable
    organisation.address_trusted = False
    finding = (await app.check()).findings[0]
    assert finding.about == "trusted_ip"
    wrong = built(replace(settings_for(organisation.base_url), app_secret="wrong"))
    assert not (await wrong.check()).usable
    assert await wrong.submit(submission(), deadline_s) == Rejected("credentials", Scope.ACCOUNT, "10014")
    await wrong.close()


async def test_an_unknown_person_is_his_fault(organisation: FeishuEmulator, app: FeishuApp) -> None:
    organisation.members = frozenset({who})
    assert await app.submit(submission(user="ou_left"), deadline_s) == Rejected("user_unknown", Scope.NUMBER, "230034")
    assert await app.submit(submission(target={}), deadline_s) == Rejected("no_user_id", Scope.SESSION)
    assert await app.submit(submission(text="[]"), deadline_s) == Rejected("message_unreadable", Scope.TEXT)
    assert [id_type(person) for person in ("ou_1", "on_1", "jia")] == ["open_id", "union_id", "user_id"]


async def test_logs_and_reprs_hold_no_secret_and_no_message(
    app: FeishuApp, organisation: FeishuEmulator, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    organisation.faults.set(FaultKind.ERROR, code=230034, count=1)
    await app.submit(submission(), deadline_s)
    written = caplog.text + repr(settings_for("http://127.0.0.1:9"))
    assert "user_unknown" in written
    assert not any(kept in written for kept in (secret, encrypt_key, verification_token, who, "1201"))


def test_the_table_names_what_builds_feishu() -> None:
    assert TABLE["feishu"].settings is FeishuSettings
    assert TABLE["feishu"].callbacks is not None
