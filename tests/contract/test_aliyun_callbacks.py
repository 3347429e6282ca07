"""What Alibaba pushes, read by us: receipts, keys and replies, in any order, repeated, forged, stale, malformed."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web

from alerting.channels.base import Accepted, CallbackEvent, CallbackRequest, KeyPress, Receipt, ReceiptKind, Reply
from alerting.channels.providers.aliyun import build, callbacks
from alerting.channels.providers.aliyun_callbacks import parse
from alerting.channels.providers.aliyun_settings import VoiceKeys
from devices.model import Channel
from gengfu.clock import SystemClock
from simulators.aliyun import AliyunEmulator
from simulators.emulating import FaultKind
from simulators.phone import Answers, Behaviour, SmsFate
from tests.contract.channel_suite import deadline_s
from tests.support.aliyun import account, callback_key, settings_for, submission_of, thanks

attempt = "abcdefghijk23"
now = datetime(2026, 11, 27, 4, 0, tzinfo=UTC)  # 12:00 in China
receiver = callbacks(settings_for("http://127.0.0.1:1"))


def request(kind: str, document: Any, key: str = callback_key, method: str = "POST") -> CallbackRequest:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return CallbackRequest(method, kind, f"/callbacks/aliyun/{kind}?key={key}", {"key": key}, {}, body)


def receipt(**changes: Any) -> dict[str, Any]:
    """A row of SmsReport."""
    return {
        "phone_number": "13800001234",
        "send_time": "2026-11-27 11:59:58",
        "report_time": "2026-11-27 12:00:00",
        "success": True,
        "err_code": "DELIVERED",
        "err_msg": "用户接收成功",
        "sms_size": "1",
        "biz_id": "900619746936498440^0",
        "out_id": attempt,
        **changes,
    }


def call_end(**changes: Any) -> dict[str, Any]:
    """A row of VoiceReport."""
    return {
        "call_id": "116012354148^102806652148",
        "start_time": "2026-11-27 11:59:50",
        "end_time": "2026-11-27 12:00:00",
        "duration": "10",
        "status_code": "200000",
        "hangup_direction": "用户",
        "out_id": attempt,
        **changes,
    }


def key_told(**changes: Any) -> dict[str, Any]:
    """A row of VoiceCallReport."""
    return {
        "call_id": "116012354148^102806652148",
        "status_code": "300000",
        "dtmf": "1",
        "status_time": "2026-11-27 11:59:59",
        "out_id": attempt,
        **changes,
    }


def events(kind: str, *rows: dict[str, Any]) -> list[CallbackEvent]:
    """All that these rows say."""
    stored = receiver.read(request(kind, list(rows)))
    return [event for row in stored for event in parse(row.kind, row.attempt_id, row.form)]


def kinds(found: list[CallbackEvent]) -> list[ReceiptKind | str]:
    return [each.kind if isinstance(each, Receipt) else type(each).__name__ for each in found]


@pytest.mark.parametrize("key", ["", "wrong", callback_key + "x", callback_key.upper(), "钥匙"])
def test_without_the_secret_nothing_is_believed(key: str) -> None:
    assert receiver.verify(request("sms", [receipt()]), now)
    assert not receiver.verify(request("sms", [receipt()], key), now)
    assert not receiver.verify(request("sms", [receipt()], method="GET"), now)


def test_stale_pushes_are_refused() -> None:
    assert receiver.verify(request("sms", [receipt()]), now + timedelta(hours=23))
    for kind, row in (("sms", receipt()), ("voice", call_end()), ("voice", key_told())):
        assert not receiver.verify(request(kind, [row]), now + timedelta(hours=25))
    fresh = receipt(report_time="2026-11-28 12:00:00")
    assert receiver.verify(request("sms", [receipt(), fresh]), now + timedelta(hours=25))


def test_it_hears_what_it_wants() -> None:
    spoken = receiver.answer(request("sms", []))
    assert spoken is not None
    assert json.loads(spoken.body)["code"] == 0


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"{}", b'{"biz_id":"1"}', b"[" * 100_000, b"\xff\xfe", b"null", b"[1" + b",1" * 2_000 + b"]"],
)
def test_what_is_no_list_of_reports_is_an_error_and_never_a_crash(body: bytes) -> None:
    for kind in ("sms", "voice", "up"):
        with pytest.raises(ValueError):
            receiver.read(request(kind, body))
        assert receiver.verify(request(kind, body), now)  # `read` answers 400, not 403


def test_another_kind_does_not_exist() -> None:
    with pytest.raises(LookupError):
        receiver.read(request("status", [receipt()]))


def test_rows_that_say_nothing_are_left_out() -> None:
    """The console's test push must not be refused: without it the address cannot be saved."""
    rows = [7, {}, receipt(success="true"), receipt(biz_id=""), receipt(biz_id="x" * 200)]
    assert receiver.read(request("sms", rows)) == []
    assert receiver.read(request("voice", [7, {}, call_end(call_id=None)])) == []
    assert receiver.read(request("up", [{"phone_number": "138****1234", "content": "1"}])) == []


def test_a_receipt_is_read_with_chinas_clock() -> None:
    at = datetime(2026, 11, 27, 4, 0, tzinfo=UTC)
    reference = "900619746936498440^0"
    assert events("sms", receipt()) == [Receipt(attempt, ReceiptKind.DELIVERED, reference, at=at)]
    failed = events("sms", receipt(success=False, err_code="MOBILE_NOT_ON_SERVICE"))
    assert failed == [Receipt(attempt, ReceiptKind.FAILED, reference, "MOBILE_NOT_ON_SERVICE", at)]
    (odd,) = events("sms", receipt(success=False, err_code="<script>", report_time="yesterday"))
    assert odd == Receipt(attempt, ReceiptKind.FAILED, reference, "carrier")


def test_a_report_on_somebody_elses_text_is_kept_by_its_reference() -> None:
    (stored,) = receiver.read(request("sms", [receipt(out_id="not ours")]))
    assert stored.attempt_id is None
    assert stored.form["provider_ref"] == "900619746936498440^0"
    assert parse("sms", None, stored.form) == []
    assert len(parse("sms", attempt, stored.form)) == 1


def test_a_key_counts_once_whether_told_during_the_call_or_after_it() -> None:
    during = receiver.read(request("voice", [key_told()]))
    after = receiver.read(request("voice", [call_end(dtmf="1")]))
    assert after[0].dedupe == during[0].dedupe
    assert len({row.dedupe for row in after}) == 2
    assert events("voice", key_told())[1] == KeyPress(attempt, "1")
    assert kinds(events("voice", call_end(dtmf="31"))) == ["answered", "KeyPress", "answered", "completed"]
    assert [each.digits for each in events("voice", call_end(dtmf="31")) if isinstance(each, KeyPress)] == ["1"]


@pytest.mark.parametrize("dtmf", ["", "A", "1;DROP", "1" * 33, None, 1.5])
def test_what_is_no_key_presses_none(dtmf: Any) -> None:
    assert not [each for each in events("voice", key_told(dtmf=dtmf)) if isinstance(each, KeyPress)]


def test_how_calls_end() -> None:
    ends = {
        "200000": ["answered", "completed"],
        "200001": ["answered", "completed"],
        "200002": ["busy"],
        "200003": ["no_answer"],
        "200004": ["failed"],
        "200005": ["no_answer"],
        "200010": ["no_answer"],
        "200011": ["failed"],
        "209999": ["failed"],
        "nonsense": ["failed"],
    }
    for status, wanted in ends.items():
        assert kinds(events("voice", call_end(status_code=status))) == wanted, status
    assert events("voice", key_told(status_code="209999", dtmf="")) == []
    assert kinds(events("voice", key_told(status_code="200101", dtmf=""))) == ["provider_accepted"]


def test_a_reply_comes_from_a_whole_number() -> None:
    row = {"phone_number": "13800001234", "send_time": "2026-11-27 12:00:00", "content": "1", "sequence_id": 7}
    assert events("up", row) == [Reply("+8613800001234", "1", "7")]
    (stored,), (again,) = receiver.read(request("up", [row])), receiver.read(request("up", [row]))
    assert stored.dedupe == again.dedupe
    assert "13800001234" not in stored.dedupe


@dataclass
class Customer:
    """Our side of the pushes, without the server around it."""

    urls: dict[str, str] = field(default_factory=dict)
    refuse: int = 0
    got: list[tuple[str, str, list[CallbackEvent]]] = field(default_factory=list)
    forged: int = 0
    came: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle(self, request: web.BaseRequest) -> web.Response:
        try:
            return await self.take(request)
        finally:
            self.came.set()

    async def until(self, wish: Callable[[], bool]) -> None:
        """Asked again after each push."""
        async with asyncio.timeout(5):
            while not wish():
                self.came.clear()
                await self.came.wait()

    async def take(self, request: web.BaseRequest) -> web.Response:
        if self.refuse:
            self.refuse -= 1
            return web.Response(status=503)
        kind = request.path.rsplit("/", 1)[1]
        body = await request.read()
        came = CallbackRequest(request.method, kind, request.path_qs, request.query, {}, body)
        if not receiver.verify(came, SystemClock().now()):
            self.forged += 1
            return web.Response(status=403)
        for row in receiver.read(came):
            self.got.append((row.kind, row.dedupe, parse(row.kind, row.attempt_id, row.form)))
        spoken = receiver.answer(came)
        assert spoken is not None
        return web.Response(text=spoken.body, content_type=spoken.media_type)

    def events(self) -> list[CallbackEvent]:
        """Each word once, in the order of arrival."""
        seen = {dedupe: found for _, dedupe, found in reversed(self.got)}
        order = dict.fromkeys(dedupe for _, dedupe, _ in self.got)
        return [event for dedupe in order for event in seen[dedupe]]


@asynccontextmanager
async def story(key: str = callback_key, **settings: Any) -> AsyncIterator[tuple[AliyunEmulator, Customer]]:
    """An emulator that pushes to a customer, without waiting."""
    customer = Customer()
    runner = web.ServerRunner(web.Server(customer.handle))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    origin = f"http://127.0.0.1:{runner.addresses[0][1]}"
    push = {kind: f"{origin}/callbacks/aliyun/{kind}?key={key}" for kind in ("sms", "voice", "up")}
    try:
        async with account(time_scale=0, push=push, **settings) as emulator:
            yield emulator, customer
    finally:
        await runner.cleanup()


async def submitted(emulator: AliyunEmulator, name: str, **changes: Any) -> tuple[str, str]:
    """Attempt and reference of one submit."""
    providers = build(settings_for(emulator.base_url, **changes))
    channel = Channel.VOICE if name.startswith("voice") else Channel.SMS
    submission = submission_of(name)
    answer = await providers[channel].submit(submission, deadline_s)
    for provider in providers.values():
        await provider.close()
    assert isinstance(answer, Accepted)
    return submission.attempt_id, answer.provider_ref


async def test_a_text_is_followed_to_its_delivery_and_its_answer() -> None:
    async with story(default_behaviour=Behaviour(reply="1 出发")) as (emulator, customer):
        attempt_id, reference = await submitted(emulator, "sms_page")
        await customer.until(lambda: len(customer.events()) == 2)
        delivered, reply = customer.events()
        assert isinstance(delivered, Receipt)
        assert (delivered.attempt_id, delivered.kind, delivered.provider_ref) == (attempt_id, "delivered", reference)
        assert isinstance(reply, Reply)
        assert (reply.address, reply.text) == ("+8613800000000", "1 出发")


async def test_an_undelivered_text_says_why() -> None:
    async with story(default_behaviour=Behaviour(sms=SmsFate.UNDELIVERED)) as (emulator, customer):
        await submitted(emulator, "sms_page")
        await customer.until(lambda: bool(customer.events()))
        (failed,) = customer.events()
        assert isinstance(failed, Receipt)
        assert (failed.kind, failed.error) == (ReceiptKind.FAILED, "UNDELIV")


@pytest.mark.parametrize("fault", [None, *sorted(FaultKind(k) for k in ("doubled_callback", "reordered_callback"))])
async def test_a_call_with_key_1_counts_once_in_any_order(fault: FaultKind | None) -> None:
    async with story() as (emulator, customer):
        if fault is not None:
            emulator.faults.set(fault)
        attempt_id, _ = await submitted(emulator, "voice_page")
        await customer.until(lambda: {"completed", "KeyPress"} <= set(kinds(customer.events())))
        assert [each for each in customer.events() if isinstance(each, KeyPress)] == [KeyPress(attempt_id, "1")]


async def test_key_3_says_it_once_more_and_then_1_counts() -> None:
    async with story(default_behaviour=Behaviour(keys="31")) as (emulator, customer):
        attempt_id, _ = await submitted(emulator, "voice_page")
        await customer.until(lambda: "completed" in kinds(customer.events()))
        pressed = [each for each in customer.events() if isinstance(each, KeyPress)]
        assert pressed == [KeyPress(attempt_id, "3"), KeyPress(attempt_id, "1")]
        (call,) = emulator.phones.calls
        assert [heard.text for heard in call.heard] == [call.heard[0].text, call.heard[0].text, thanks]


async def test_a_lost_key_comes_with_the_report_at_the_end() -> None:
    async with story(call_states=False) as (emulator, customer):
        attempt_id, _ = await submitted(emulator, "voice_page")
        await customer.until(lambda: "completed" in kinds(customer.events()))
        assert KeyPress(attempt_id, "1") in customer.events()


async def test_a_voicemail_confirms_nothing() -> None:
    async with story(default_behaviour=Behaviour(answers=Answers.VOICEMAIL)) as (emulator, customer):
        await submitted(emulator, "voice_page")
        await customer.until(lambda: "completed" in kinds(customer.events()))
        assert not [each for each in customer.events() if isinstance(each, KeyPress)]
        (call,) = emulator.phones.calls
        assert len(call.heard) == 2  # played twice, to the end


async def test_speech_without_a_menu_reports_keys_only_where_alibaba_says_so() -> None:
    for reports in (False, True):
        async with story() as (emulator, customer):
            emulator.calls.tts_keys = reports
            await submitted(emulator, "voice_page", voice_keys=VoiceKeys.TTS, show_number=None)
            await customer.until(lambda customer=customer: "completed" in kinds(customer.events()))  # type: ignore[misc]
            assert ("KeyPress" in kinds(customer.events())) is reports


async def test_a_push_that_we_could_not_store_comes_again() -> None:
    async with story() as (emulator, customer):
        customer.refuse = 3
        await submitted(emulator, "sms_page")
        await customer.until(lambda: bool(customer.events()))
        assert customer.refuse == 0


async def test_a_push_may_come_before_our_answer() -> None:
    async with story() as (emulator, customer):
        emulator.faults.set(FaultKind.CALLBACK_BEFORE_ANSWER)
        attempt_id, _ = await submitted(emulator, "sms_page")
        assert [each.attempt_id for each in customer.events() if isinstance(each, Receipt)] == [attempt_id]


async def test_pushes_with_another_key_are_forgeries() -> None:
    async with story(key="somebody-elses-key") as (emulator, customer):
        await submitted(emulator, "sms_page")
        await customer.until(lambda: customer.forged == 4)  # and three times more
        assert customer.events() == []
