"""What Tencent calls back: guarded by a secret, taken apart into rows, read as what happened; forged, stale, torn."""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web

from alerting.channels.base import (
    Accepted,
    CallbackEvent,
    CallbackRequest,
    KeyPress,
    Receipt,
    ReceiptKind,
    Reply,
    Spoken,
    Stored,
)
from alerting.channels.providers import tencent
from alerting.channels.providers.tencent_callbacks import parse
from devices.model import Channel
from simulators.emulating import FaultKind
from simulators.phone import Answers, Behaviour, SmsFate
from simulators.tencent import Addresses, TencentEmulator
from tests.contract.channel_suite import deadline_s
from tests.contract.tencent_support import TencentBench, callback_key, emulated, now, providers, settings_for

wait_s = 5.0
at = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
callbacks = tencent.callbacks(settings_for("http://127.0.0.1:9"))
receipt = {
    "user_receive_time": "2026-11-27 19:59:58",
    "nationcode": "86",
    "mobile": "13800000000",
    "report_status": "SUCCESS",
    "errmsg": "DELIVRD",
    "description": "用户短信送达成功",
    "sid": "5000:1045710669157053657849499619",
}
key = {"voicekey_callback": {"call_from": "", "callid": "c-1", "keypress": "1", "mobile": "13800000000"}}
reply = {"extend": "", "mobile": "13800000000", "nationcode": "86", "sign": "阳光社区", "text": "1", "time": 1795780000}


def request(kind: str, body: object, *, secret: str = callback_key, method: str = "POST") -> CallbackRequest:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    path = f"/callbacks/tencent/{kind}?key={secret}"
    return CallbackRequest(method, kind, path, {"key": secret} if secret else {}, {}, raw)


def test_only_who_knows_the_secret_is_heard() -> None:
    assert callbacks.verify(request("sms", [receipt]), at)
    for secret in ("", "x", callback_key[:-1], callback_key + "x", "密"):
        assert not callbacks.verify(request("sms", [receipt], secret=secret), at), secret
    assert not callbacks.verify(request("sms", [receipt], method="GET"), at)


def test_what_is_a_day_old_is_not_heard_again() -> None:
    later = at + timedelta(days=1)
    assert not callbacks.verify(request("sms", [receipt]), later)
    assert callbacks.verify(request("sms", [receipt, receipt | {"user_receive_time": "2026-11-28 19:59:58"}]), later)
    call = {"voiceprompt_callback": {"callid": "c", "result": "0", "end_calltime": str(int(at.timestamp()))}}
    assert callbacks.verify(request("voice", call), at)
    assert not callbacks.verify(request("voice", call), later)
    assert callbacks.verify(request("voice", key), later), "a key has no time"
    assert not callbacks.verify(request("up", reply), at + timedelta(days=30))


def test_tencent_hears_that_it_was_taken() -> None:
    assert callbacks.answer(request("sms", [receipt])) == Spoken("application/json", '{"result":0,"errmsg":"OK"}')


def test_each_report_is_a_row_that_names_the_text_and_no_number() -> None:
    rows = callbacks.read(request("sms", [receipt, receipt | {"sid": "5000:2", "ext": "abcdefghij234"}]))
    assert [(row.attempt_id, row.form["provider_ref"]) for row in rows] == [
        (None, receipt["sid"]),
        ("abcdefghij234", "5000:2"),
    ]
    assert len({row.dedupe for row in rows}) == 2
    assert all(len(row.dedupe) <= 128 for row in rows)
    assert "13800000000" not in repr(rows)
    assert [row.dedupe for row in rows] == [
        row.dedupe for row in callbacks.read(request("sms", [receipt, receipt | {"sid": "5000:2"}]))
    ]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe",
        b"<html></html>",
        b"[" * 200_000,
        b'{"a":' * 50_000,
        b"[]",
        b"{}",
        b"7",
        b"null",
        b'[{"sid": 7.5, "report_status": null}]',
        json.dumps([receipt | {"sid": "x" * 129}]).encode(),
        json.dumps([receipt] * 501).encode(),
        json.dumps({"voicekey_callback": "c"}).encode(),
        json.dumps({"voicekey_callback": {"callid": ""}}).encode(),
        json.dumps(reply | {"mobile": "1" * 20}).encode(),
        json.dumps(reply | {"nationcode": "86;DROP"}).encode(),
        b"9" * 5_000,
    ],
)
def test_what_cannot_be_read_is_refused_and_nothing_else(body: bytes) -> None:
    for kind in ("sms", "voice", "up"):
        callbacks.verify(request(kind, body), at)
        with pytest.raises(ValueError, match=r".*"):
            callbacks.read(request(kind, body))


def test_a_strange_kind_is_refused() -> None:
    with pytest.raises(LookupError, match="kind"):
        callbacks.read(request("status", [receipt]))


def test_a_torn_row_does_not_take_the_others_with_it() -> None:
    rows = callbacks.read(request("sms", [7, {"sid": None}, receipt, {"report_status": "FAIL"}]))
    assert [row.form["provider_ref"] for row in rows] == [receipt["sid"]]


def test_ten_megabytes_are_refused_in_flat_memory() -> None:
    """The route bounds a body before it gets here; even so nothing is built from one."""
    with pytest.raises(ValueError, match="too many"):
        callbacks.read(request("sms", json.dumps([receipt] * 50_000).encode()))


def test_random_rubbish_never_raises_anything_but_value_error() -> None:
    dice = random.Random(5)
    whole = json.dumps([receipt, key, reply]).encode()
    for _ in range(2_000):
        torn = bytearray(whole[: dice.randrange(len(whole))])
        for _ in range(dice.randrange(4)):
            if torn:
                torn[dice.randrange(len(torn))] = dice.randrange(256)
        for kind in ("sms", "voice", "up"):
            asked = request(kind, bytes(torn))
            callbacks.verify(asked, at)
            try:
                for row in callbacks.read(asked):
                    parse(row.kind, "a", row.form)
            except ValueError:
                continue


def _events(kind: str, body: object) -> list[Any]:
    return [event for row in callbacks.read(request(kind, body)) for event in parse(kind, "a1", row.form)]


def test_receipts_of_texts() -> None:
    received = datetime(2026, 11, 27, 11, 59, 58, tzinfo=UTC)
    sid = receipt["sid"]
    assert _events("sms", [receipt]) == [Receipt("a1", ReceiptKind.DELIVERED, sid, at=received)]
    failed = receipt | {"report_status": "FAIL", "errmsg": "MK:0001", "user_receive_time": ""}
    assert _events("sms", failed) == [Receipt("a1", ReceiptKind.FAILED, sid, "MK:0001")]
    told = receipt | {"report_status": "FAIL", "errmsg": "号码13800000000不存在"}
    assert [event.error for event in _events("sms", told)] == ["carrier"], "it may quote the number"
    assert _events("sms", receipt | {"report_status": "ASTONISHED"}) == []


def test_a_key_is_an_answer_and_a_key() -> None:
    assert _events("voice", key) == [Receipt("a1", ReceiptKind.ANSWERED, "c-1"), KeyPress("a1", "1")]
    for strange in ("", "一", "123456789", "1;2"):
        assert _events("voice", {"voicekey_callback": {"callid": "c-1", "keypress": strange}}) == []


def test_the_end_of_a_call_never_presses_a_key() -> None:
    told = {"callid": "c-1", "result": "0", "accept_time": "1795780800", "end_calltime": "1795780810"}
    answered, ended = _events("voice", {"voiceprompt_callback": told})
    assert (answered.kind, answered.at) == (ReceiptKind.ANSWERED, datetime.fromtimestamp(1795780800, UTC))
    assert (ended.kind, ended.at) == (ReceiptKind.COMPLETED, datetime.fromtimestamp(1795780810, UTC))
    kinds = {
        result: [event.kind for event in _events("voice", {"voiceprompt_callback": told | {"result": result}})]
        for result in ("1", "2", "3")
    }
    assert kinds == {"1": [ReceiptKind.NO_ANSWER], "2": [ReceiptKind.FAILED], "3": []}


@pytest.mark.parametrize(
    ("code", "kind", "error"),
    [
        (1, ReceiptKind.NO_ANSWER, "phone_off"),
        (2, ReceiptKind.BUSY, ""),
        (5, ReceiptKind.NO_ANSWER, ""),
        (8, ReceiptKind.FAILED, "number_unknown"),
        (7, ReceiptKind.FAILED, "number_suspended"),
        (18, ReceiptKind.FAILED, "network_busy"),
        (11, ReceiptKind.FAILED, "failure_11"),
        (99, ReceiptKind.FAILED, "failure_99"),
    ],
)
def test_why_a_call_failed(code: int, kind: ReceiptKind, error: str) -> None:
    told = {"callid": "c-1", "failure_code": code, "failure_reason": "空号", "mobile": "13800000000"}
    assert _events("voice", {"voice_failure_callback": told}) == [Receipt("a1", kind, "c-1", error)]


def test_a_reply_needs_no_attempt() -> None:
    (row,) = callbacks.read(request("up", reply))
    assert parse("up", None, row.form) == [Reply("+8613800000000", "1", "")]
    assert "13800000000" not in row.dedupe


def test_a_row_whose_attempt_nobody_knows_says_nothing() -> None:
    for kind, body in (("sms", receipt), ("voice", key)):
        for row in callbacks.read(request(kind, body)):
            assert parse(row.kind, None, row.form) == []


class Hearing:
    """Our side of the line: takes callbacks as the server does, without a database."""

    def __init__(self) -> None:
        self.rows: list[Stored] = []
        self.refused = 0
        self.arrived = asyncio.Event()
        self.turned_away = asyncio.Event()

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        kind = request.path.rpartition("/")[2]
        body = await request.read()
        asked = CallbackRequest(request.method, kind, request.path_qs, dict(request.query), {}, body)
        if not callbacks.verify(asked, now()):
            self.refused += 1
            self.turned_away.set()
            return web.Response(status=403)
        self.rows.extend(callbacks.read(asked))
        self.arrived.set()
        spoken = callbacks.answer(asked)
        assert spoken is not None
        return web.Response(text=spoken.body, content_type=spoken.media_type)

    async def until_refused(self) -> None:
        async with asyncio.timeout(wait_s):
            await self.turned_away.wait()

    async def until(self, count: int) -> None:
        async with asyncio.timeout(wait_s):
            while len(self.rows) < count:
                self.arrived.clear()
                await self.arrived.wait()


@asynccontextmanager
async def hearing() -> AsyncIterator[tuple[Hearing, str]]:
    ears = Hearing()
    runner = web.ServerRunner(web.Server(ears.handle, access_log=None))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield ears, f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def _addresses(base: str, secret: str = callback_key) -> Addresses:
    return Addresses(*(f"{base}/callbacks/tencent/{kind}?key={secret}" for kind in ("sms", "voice", "up")))


def _short(event: CallbackEvent) -> str:
    match event:
        case KeyPress(digits=digits):
            return digits
        case Receipt(kind=kind):
            return kind.value
        case Reply():
            return "reply"


@asynccontextmanager
async def story(behaviour: Behaviour) -> AsyncIterator[tuple[Hearing, TencentEmulator, Mapping[Channel, TencentBench]]]:
    async with (
        hearing() as (ears, base),
        emulated(behaviour=behaviour, addresses=_addresses(base)) as emulator,
        providers(settings_for(emulator.base_url)) as both,
    ):
        yield ears, emulator, {channel: TencentBench(each, emulator) for channel, each in both.items()}


async def test_a_text_s_way_from_the_phone_back_to_us() -> None:
    async with story(Behaviour(reply="1")) as (ears, emulator, benches):
        answer = await benches[Channel.SMS].provider.submit(benches[Channel.SMS].submission(), deadline_s)
        assert isinstance(answer, Accepted)
        await ears.until(2)
        assert not emulator.poster.troubles
    delivered, replied = ears.rows
    assert delivered.form["provider_ref"] == answer.provider_ref
    (event,) = benches[Channel.SMS].provider.parse_callback("sms", "a1", delivered.form)
    assert isinstance(event, Receipt)
    assert event.kind is ReceiptKind.DELIVERED
    assert parse("up", None, replied.form) == [Reply("+8613800000000", "1", "")]


@pytest.mark.parametrize(
    ("behaviour", "said"),
    [
        (Behaviour(keys="2"), ["answered", "2", "answered", "completed"]),
        (Behaviour(answers=Answers.VOICEMAIL), ["answered", "completed"]),
        (Behaviour(answers=Answers.NEVER), ["no_answer", "no_answer"]),
        (Behaviour(answers=Answers.BUSY), ["no_answer", "busy"]),
        (Behaviour(answers=Answers.UNREACHABLE), ["no_answer", "no_answer"]),
    ],
)
async def test_a_call_s_way_from_the_phone_back_to_us(behaviour: Behaviour, said: list[str]) -> None:
    async with story(behaviour) as (ears, _, benches):
        answer = await benches[Channel.VOICE].provider.submit(benches[Channel.VOICE].submission(), deadline_s)
        assert isinstance(answer, Accepted)
        await ears.until(1 if behaviour.answers is Answers.VOICEMAIL else 2)
    assert {row.form["provider_ref"] for row in ears.rows} == {answer.provider_ref}
    events = [event for row in ears.rows for event in parse("voice", "a1", row.form)]
    assert [_short(event) for event in events] == said


async def test_repeated_and_reordered_callbacks_fold_into_the_same_rows() -> None:
    async with story(Behaviour(keys="1")) as (ears, emulator, benches):
        voice = benches[Channel.VOICE]
        emulator.faults.set(FaultKind.DOUBLED_CALLBACK, channel=Channel.VOICE, count=2)
        assert isinstance(await voice.provider.submit(voice.submission(1), deadline_s), Accepted)
        await ears.until(4)
        assert len({row.dedupe for row in ears.rows}) == 2
        del ears.rows[:]
        emulator.faults.set(FaultKind.REORDERED_CALLBACK, channel=Channel.VOICE, count=1)
        assert isinstance(await voice.provider.submit(voice.submission(2), deadline_s), Accepted)
        await ears.until(2)
        assert [row.form["event"] for row in ears.rows] == ["prompt", "key"]


async def test_a_key_can_come_before_the_answer_that_names_the_call() -> None:
    async with story(Behaviour(keys="1")) as (ears, emulator, benches):
        voice = benches[Channel.VOICE]
        emulator.faults.set(FaultKind.CALLBACK_BEFORE_ANSWER, count=1)
        submission = asyncio.create_task(voice.provider.submit(voice.submission(), deadline_s))
        await ears.until(1)
        early = ears.rows[0].form["provider_ref"]
        answer = await submission
    assert isinstance(answer, Accepted)
    assert early == answer.provider_ref, "only so can the inbox find the attempt later"


async def test_a_forged_address_changes_nothing() -> None:
    async with (
        hearing() as (ears, base),
        emulated(behaviour=Behaviour(sms=SmsFate.DELIVERED), addresses=_addresses(base, "guessed")) as emulator,
        providers(settings_for(emulator.base_url)) as both,
    ):
        bench = TencentBench(both[Channel.SMS], emulator)
        assert isinstance(await bench.provider.submit(replace(bench.submission()), deadline_s), Accepted)
        await ears.until_refused()
    assert (ears.refused, ears.rows) == (1, [])
