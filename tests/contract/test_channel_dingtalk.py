"""DingTalk messages against the emulator: the shared suite, lists of refusals, receipts that are asked for."""

import logging
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace

import pytest
import pytest_asyncio

from alerting.channels.base import Accepted, Busy, Receipt, ReceiptKind, Rejected, Scope, Submission
from alerting.channels.providers import TABLE
from alerting.channels.providers.dingtalk import build
from alerting.channels.providers.dingtalk_app import DingtalkApp
from alerting.channels.providers.dingtalk_settings import DingtalkSettings
from devices.model import Channel
from gengfu.clock import SystemClock
from simulators.dingtalk import DingtalkEmulator
from simulators.emulating import FaultKind, Outcome
from simulators.phone import CardReceived
from tests.contract.channel_suite import Bench, EmulatorBench, VendorBench, VendorSuite, deadline_s, make_submission
from tests.support import wecom as made_up

who = "worker-jia"
link = "https://gengfu.example.org/a/AbCdEfGhIjKlMnOpQrStUv"
secret = "dingtalk-secret-that-stays-secret"


def settings_for(base_url: str) -> DingtalkSettings:
    return DingtalkSettings(app_key="dingapp", app_secret=secret, robot_code="dingrobot", base_url=base_url)


def submission(n: int = 0, user: str = who, text: str | None = None, **changed: object) -> Submission:
    page = text or made_up.page(n, answer_url=link)
    made = make_submission(Channel.APP, n, page, "", target={"user_id": user})
    return replace(made, **changed)  # type: ignore[arg-type]


class DingtalkBench(EmulatorBench):
    """Nothing in DingTalk's request names our attempt: each has a person of its own."""

    refusals: Mapping[str, Scope] = {
        "staffId.notExisted": Scope.NUMBER,
        "Forbidden.AccessDenied.IpNotInWhiteList": Scope.ACCOUNT,
        "robotCode.notExsited": Scope.ACCOUNT,
        "88": Scope.ACCOUNT,  # inside a 200
        "invalidParameter.msgParam.invalid": Scope.TEXT,
        "something.new": Scope.ACCOUNT,
    }
    limits: Mapping[str, Busy] = {"Forbidden.AccessDenied.QpsLimitForApi": Busy(1.0), "90018": Busy(1.0)}
    strange_ref = "no-such-message"
    keeps_references = False

    def __init__(self, provider: DingtalkApp, emulator: DingtalkEmulator) -> None:
        super().__init__(provider, emulator)
        self._attempts: dict[str, str] = {}

    def submission(self, n: int = 0) -> Submission:
        made = submission(n, f"member-{n}")
        self._attempts[f"member-{n}"] = made.attempt_id
        return made

    def arrivals(self) -> list[str]:
        rows = self._far_side.ledger.rows
        return [self._attempts[row.to or ""] for row in rows if row.outcome is Outcome.PROVIDER_ACCEPTED]

    def owner(self, provider_ref: str) -> str:
        (row,) = [row for row in self._far_side.ledger.rows if row.sid == provider_ref]
        return self._attempts[row.to or ""]

    def lag(self, seconds: float) -> None:
        return


@pytest_asyncio.fixture
async def organisation() -> AsyncIterator[DingtalkEmulator]:
    clock = SystemClock()
    emulator = DingtalkEmulator(app_key="dingapp", app_secret=secret, robot_code="dingrobot", clock=clock.now)
    async with emulator:
        yield emulator


def built(settings: DingtalkSettings) -> DingtalkApp:
    provider = build(settings)[Channel.APP]
    assert isinstance(provider, DingtalkApp)
    return provider


@pytest_asyncio.fixture
async def app(organisation: DingtalkEmulator) -> AsyncIterator[DingtalkApp]:
    provider = built(settings_for(organisation.base_url))
    await provider.check()
    yield provider
    await provider.close()


async def shown(organisation: DingtalkEmulator, count: int = 1) -> list[CardReceived]:
    await organisation.until(lambda phones: len(phones.cards) >= count)
    return organisation.phones.cards


class TestDingtalk(VendorSuite):
    @pytest.fixture
    def vendor_bench(self, app: DingtalkApp, organisation: DingtalkEmulator) -> VendorBench:
        return DingtalkBench(app, organisation)

    @pytest.fixture
    def bench(self, vendor_bench: VendorBench) -> Bench:
        return vendor_bench


async def test_a_page_shows_everything_and_leads_to_the_answer_page(
    app: DingtalkApp, organisation: DingtalkEmulator
) -> None:
    assert isinstance(await app.submit(submission(3), deadline_s), Accepted)
    (card,) = await shown(organisation)
    for part in ("火警：金鼎小区3栋2单元1201室厨房", "确认起火立即拨打119", "时间：03:12", "编号：K7F3P"):
        assert part in card.body
    assert card.buttons[0].url == link
    assert [button.label for button in card.buttons] == ["打开并答复", "地图"]


async def test_who_is_told_only_is_asked_nothing(app: DingtalkApp, organisation: DingtalkEmulator) -> None:
    for text in (made_up.page(asks=False, answer_url=link), made_up.page(asks=False, map_url="")):
        assert isinstance(await app.submit(submission(text=text), deadline_s), Accepted)
    with_map, bare = await shown(organisation, 2)
    assert [button.label for button in with_map.buttons] == ["地图"]
    assert bare.buttons == ()


async def test_a_places_name_is_no_markup(app: DingtalkApp, organisation: DingtalkEmulator) -> None:
    await app.submit(submission(text=made_up.page(body="[点这里](http://127.0.0.1/) **3#**")), deadline_s)
    (card,) = await shown(organisation)
    assert "［点这里］(http://127.0.0.1/) ＊＊3＃＊＊" in card.body


async def test_whoever_stands_in_a_list_was_not_reached(organisation: DingtalkEmulator) -> None:
    organisation.members = frozenset({who, "throttled", "filtered"})
    organisation.throttled.add("throttled")
    organisation.filtered.add("filtered")
    provider = built(settings_for(organisation.base_url))
    answers = {user: await provider.submit(submission(user=user), deadline_s) for user in (who, "left", "filtered")}
    assert isinstance(answers[who], Accepted)
    assert answers["left"] == Rejected("user_unknown", Scope.NUMBER, "invalidStaffIdList")
    assert answers["filtered"] == Rejected("user_filtered", Scope.NUMBER, "filteredStaffIdList")
    assert await provider.submit(submission(user="throttled"), deadline_s) == Busy(60.0, number_limit=True)
    await provider.close()


async def test_having_read_it_is_a_receipt_and_never_an_answer(
    app: DingtalkApp, organisation: DingtalkEmulator
) -> None:
    sent = submission()
    answer = await app.submit(sent, deadline_s)
    assert isinstance(answer, Accepted)
    assert await app.poll(sent, answer.provider_ref) == [
        Receipt(sent.attempt_id, ReceiptKind.SENT, answer.provider_ref)
    ]
    (card,) = await shown(organisation)
    organisation.read(card)
    (receipt,) = await app.poll(sent, answer.provider_ref)
    assert isinstance(receipt, Receipt)
    assert receipt.kind is ReceiptKind.DELIVERED
    assert receipt.at is not None
    assert await app.poll(sent, "no-such-message") == []


async def test_a_message_is_recalled(app: DingtalkApp, organisation: DingtalkEmulator) -> None:
    answer = await app.submit(submission(), deadline_s)
    assert isinstance(answer, Accepted)
    assert await app.cancel(answer.provider_ref) is True
    assert organisation.phones.cards[0].recalled


async def test_a_refused_token_is_renewed_and_no_message_goes_twice(
    app: DingtalkApp, organisation: DingtalkEmulator
) -> None:
    organisation.end_tokens()
    assert isinstance(await app.submit(submission(), deadline_s), Accepted)
    assert organisation.tokens_given == 2
    assert len(await shown(organisation)) == 1


async def test_the_account_is_looked_at(app: DingtalkApp, organisation: DingtalkEmulator) -> None:
    assert (await app.check()).usable
    organisation.address_trusted = False
    (finding,) = (await app.check()).findings
    assert finding.about == "trusted_ip"
    wrong = built(replace(settings_for(organisation.base_url), app_secret="wrong"))
    assert not (await wrong.check()).usable
    answer = await wrong.submit(submission(), deadline_s)
    assert answer == Rejected("credentials", Scope.ACCOUNT, "invalidClientIdOrSecret")
    await wrong.close()


async def test_without_a_token_nothing_was_sent(organisation: DingtalkEmulator) -> None:
    provider = built(settings_for(organisation.base_url))
    organisation.faults.set(FaultKind.STATUS_500, reads=True)
    assert isinstance(await provider.submit(submission(), deadline_s), Busy)
    assert len(organisation.ledger.rows) == 0
    await provider.close()


async def test_logs_and_reprs_hold_no_secret_and_no_message(
    app: DingtalkApp, organisation: DingtalkEmulator, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    organisation.faults.set(FaultKind.ERROR, code="staffId.notExisted", count=1)
    await app.submit(submission(), deadline_s)
    written = caplog.text + repr(settings_for("http://127.0.0.1:9"))
    assert "user_unknown" in written
    assert not any(kept in written for kept in (secret, who, "1201", link))


def test_the_table_names_what_builds_dingtalk() -> None:
    assert TABLE["dingtalk"].settings is DingtalkSettings
    assert settings_for("x").robot == "dingrobot"
    assert replace(settings_for("x"), robot_code="").robot == "dingapp"
