"""The real `twilio` SDK against the emulator: resources, lists, error codes, message callbacks, steering."""

import asyncio
import base64
import hashlib
import json
import sys
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.rest import Client

from simulators.phone import Behaviour, PhoneEvent, PhoneEventKind, SmsFate
from simulators.twilio import Outcome
from simulators.twilio.callbacks import signature
from simulators.twilio.store import segments
from tests.support.twilio_customer import Stage, account_sid, auth_token, sender, stage, start

pytestmark = pytest.mark.filterwarnings("ignore:.*auth:DeprecationWarning")  # twilio 9 under aiohttp 3.14
worker = "+8613800000001"
text = "【阳光社区】火警:3栋2单元1201客厅烟感报警,03:12。请立即到场核实,回电或APP确认。编号A7K2"
hang_up_twiml = "<Response><Say>火警</Say><Hangup/></Response>"


async def refused_with(on: Stage, **fields: object) -> tuple[int, int]:
    """HTTP status and Twilio code of a refused message."""
    with pytest.raises(TwilioRestException) as caught:
        await on.client.messages.create_async(**fields)
    return caught.value.status, caught.value.code


async def test_a_message_is_created_shown_and_called_back() -> None:
    async with stage() as on:
        url = f"{on.customer.base_url}/status?attempt=abc&place=%E4%B8%89"
        message = await on.client.messages.create_async(to=worker, from_=sender, body=text, status_callback=url)
        assert message.sid.startswith("SM")
        assert len(message.sid) == 34
        assert (message.status, message.error_code, message.num_segments) == ("queued", None, "1")
        assert message.date_created == start.replace(microsecond=0)
        assert message.uri.endswith(f"/Messages/{message.sid}.json")
        hooks = await on.customer.until("/status", 2)
        assert [hook.form["MessageStatus"] for hook in hooks] == ["sent", "delivered"]
        assert all(hook.genuine and hook.form["MessageSid"] == message.sid for hook in hooks)
        assert hooks[0].path == "/status?attempt=abc&place=%E4%B8%89"
        (sms,) = on.emulator.phones.inbox(worker).sms
        assert (sms.body, sms.attempt, sms.sid) == (text, "abc", message.sid)
        assert (await on.client.messages(message.sid).fetch_async()).status == "delivered"


@pytest.mark.parametrize(
    ("behaviour", "statuses", "error_code", "shown"),
    [
        (Behaviour(sms=SmsFate.SENT_ONLY), ["sent"], None, 1),
        (Behaviour(sms=SmsFate.UNDELIVERED), ["sent", "undelivered"], "30003", 0),
        (Behaviour(sms=SmsFate.FAILED, sms_error_code=30006), ["failed"], "30006", 0),
        (Behaviour(sms_after_s=61.0), ["failed"], "30036", 0),
    ],
)
async def test_how_far_a_text_gets(
    behaviour: Behaviour, statuses: list[str], error_code: str | None, shown: int
) -> None:
    async with stage(behaviour=behaviour) as on:
        await on.client.messages.create_async(
            to=worker,
            from_=sender,
            body=text,
            validity_period=60,
            status_callback=f"{on.customer.base_url}/status",
        )
        hooks = await on.customer.until("/status", len(statuses))
        assert [hook.form["MessageStatus"] for hook in hooks] == statuses
        assert hooks[-1].form.get("ErrorCode") == error_code
        assert len(on.emulator.phones.sms) == shown


async def test_lists_filter_page_and_lag() -> None:
    async with stage() as on:
        for number in range(5):
            await on.client.messages.create_async(to=worker, from_=sender, body=f"text {number}")
        await on.client.messages.create_async(to="+8613800000002", from_="+15550199", body="other")
        found = await on.client.messages.list_async(to=worker, page_size=2)
        assert [message.body for message in found] == [f"text {n}" for n in (4, 3, 2, 1, 0)]
        assert len(await on.client.messages.list_async(from_="+15550199")) == 1
        assert len(await on.client.messages.list_async(date_sent_after=start - timedelta(minutes=1))) == 6
        assert await on.client.messages.list_async(date_sent_after=start + timedelta(minutes=1)) == []
        assert await on.client.messages.list_async(date_sent_before=start - timedelta(minutes=1)) == []
    async with stage(list_lag_s=60.0) as on:
        message = await on.client.messages.create_async(to=worker, from_=sender, body="x")
        assert await on.client.messages.list_async(to=worker) == []
        assert (await on.client.messages(message.sid).fetch_async()).sid == message.sid


async def test_calls_are_listed_fetched_and_not_found() -> None:
    async with stage() as on:
        call = await on.client.calls.create_async(to=worker, from_=sender, twiml=hang_up_twiml)
        assert call.sid.startswith("CA")
        assert (call.status, call.queue_time, call.direction) == ("queued", "0", "outbound-api")
        await on.emulator.until(lambda book: any(c.outcome for c in book.calls))
        (listed,) = await on.client.calls.list_async(to=worker, start_time_after=start - timedelta(seconds=5))
        assert (listed.sid, listed.status) == (call.sid, "completed")
        assert (await on.client.calls(call.sid).fetch_async()).duration == listed.duration != "0"
        with pytest.raises(TwilioRestException) as caught:
            await on.client.calls("CA" + "0" * 32).fetch_async()
        assert (caught.value.status, caught.value.code) == (404, 20404)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"to": "", "from_": sender, "body": "x"}, 21604),
        ({"to": "12", "from_": sender, "body": "x"}, 21211),
        ({"to": "+0123456789", "from_": sender, "body": "x"}, 21211),
        ({"to": worker, "body": "x"}, 21603),
        ({"to": worker, "from_": "+1", "body": "x"}, 21212),
        ({"to": worker, "from_": "+15550199", "body": "x"}, 21606),
        ({"to": worker, "from_": sender}, 21602),
        ({"to": worker, "from_": sender, "body": "x" * 1601}, 21617),
        ({"to": worker, "from_": sender, "body": "x", "status_callback": "status"}, 21609),
        ({"to": worker, "from_": sender, "body": "x", "validity_period": 36_001}, 20001),
    ],
)
async def test_bad_messages_get_twilios_codes(fields: dict[str, object], code: int) -> None:
    async with stage(numbers=frozenset({sender})) as on:
        assert await refused_with(on, **fields) == (400, code)
        assert on.emulator.phones.sms == []
        assert on.emulator.ledger.rows[0].outcome is Outcome.REFUSED


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"to": "", "from_": sender, "twiml": hang_up_twiml}, 21201),
        ({"to": "x", "from_": sender, "twiml": hang_up_twiml}, 21211),
        ({"to": worker, "from_": "", "twiml": hang_up_twiml}, 21213),
        ({"to": worker, "from_": "+15550199", "twiml": hang_up_twiml}, 21210),
        ({"to": worker, "from_": sender}, 21205),
        ({"to": worker, "from_": sender, "url": "ftp://h/x"}, 21205),
        ({"to": worker, "from_": sender, "twiml": "x" * 4001}, 20001),
        ({"to": worker, "from_": sender, "twiml": hang_up_twiml, "timeout": 601}, 20001),
        ({"to": worker, "from_": sender, "twiml": hang_up_twiml, "status_callback": "http://"}, 21609),
        ({"to": worker, "from_": sender, "twiml": hang_up_twiml, "status_callback_event": ["gone"]}, None),
    ],
)
async def test_bad_calls_get_twilios_codes(fields: dict[str, object], code: int | None) -> None:
    async with stage(numbers=frozenset({sender})) as on:
        if code is None:
            fields, code = fields | {"status_callback": on.customer.base_url}, 21626
        with pytest.raises(TwilioRestException) as caught:
            await on.client.calls.create_async(**fields)
        assert (caught.value.status, caught.value.code) == (400, code)
        assert on.emulator.phones.calls == []


async def test_a_wrong_token_is_not_let_in() -> None:
    async with stage() as on:
        stranger = Client(account_sid, "wrong", http_client=on.client.http_client)
        stranger.api.base_url = on.emulator.base_url
        with pytest.raises(TwilioRestException) as caught:
            await stranger.messages.create_async(to=worker, from_=sender, body="x")
        assert (caught.value.status, caught.value.code) == (401, 20003)
        assert len(on.emulator.ledger.rows) == 0


async def test_refused_and_opted_out_numbers() -> None:
    async with stage() as on:
        on.emulator.phones.set(worker, Behaviour(refused_with=21614))
        assert await refused_with(on, to=worker, from_=sender, body="x") == (400, 21614)
        on.emulator.phones.set(worker, Behaviour())
        await on.emulator.inbound(worker, sender, "STOP")
        assert await refused_with(on, to=worker, from_=sender, body="x") == (400, 21610)
        await on.emulator.inbound(worker, sender, "start")
        await on.client.messages.create_async(to=worker, from_=sender, body="x")


async def test_a_worker_replies_and_reads_the_answer() -> None:
    seen: list[PhoneEvent] = []
    async with stage(behaviour=Behaviour(reply="1"), on_event=seen.append) as on:
        on.customer.answers["/inbound"] = "<Response><Message>已记录</Message></Response>"
        await on.client.messages.create_async(to=worker, from_=sender, body=text)
        (hook,) = await on.customer.until("/inbound", 1)
        assert hook.genuine
        assert (hook.form["From"], hook.form["To"], hook.form["Body"]) == (worker, sender, "1")
        assert hook.form["MessageSid"].startswith("SM")
        await on.emulator.until(lambda book: len(book.sms) == 2)
        assert on.emulator.phones.sms[1].body == "已记录"
        shown, replied, *_ = seen
        assert (shown.kind, shown.text, shown.number) == (PhoneEventKind.SMS_SHOWN, text, worker)
        assert (replied.kind, replied.text) == (PhoneEventKind.SMS_REPLIED, "1")


async def test_the_ledger_has_a_line_on_disk_for_each_request(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    async with stage(ledger_path=path) as on:
        url = f"{on.customer.base_url}/status?attempt=att1"
        message = await on.client.messages.create_async(to=worker, from_=sender, body=text, status_callback=url)
        first = json.loads(path.read_text())
        assert first["outcome"] == "provider_accepted"
        assert (first["attempt"], first["to"], first["kind"]) == ("att1", worker, "sms")
        assert (first["text"], first["sid"], first["sender"]) == (text, message.sid, sender)
        assert first["monotonic"] > 0
        assert first["at"] == "2026-11-23T03:12:09.500000Z"
        await on.client.calls.create_async(to=worker, from_=sender, twiml=hang_up_twiml)
        second = json.loads(path.read_text().splitlines()[1])
        assert (second["kind"], second["text"], second["attempt"]) == ("voice", "火警", None)


async def test_another_process_can_steer_it() -> None:
    async with stage() as on, aiohttp.ClientSession(f"{on.emulator.base_url}/_emulator/") as steer:
        fault = {"kind": "status_429", "channel": "sms", "count": 1, "seconds": 2}
        async with steer.post("faults", json=fault) as answer:
            assert answer.status == 200
        assert await refused_with(on, to=worker, from_=sender, body="x") == (429, 20429)
        async with steer.post("phones", json={"number": worker, "keys": "2", "reply": "ok"}) as answer:
            assert (await answer.json())[0]["keys"] == "2"
        assert on.emulator.phones.behaviour(worker).reply == "ok"
        await on.client.messages.create_async(to=worker, from_=sender, body="x")
        async with steer.get("inbox", params={"number": worker, "sms": "1", "wait_s": "5"}) as answer:
            assert [sms["body"] for sms in (await answer.json())["sms"]] == ["x"]
        async with steer.get("inbox", params={"sms": "9", "wait_s": "0.01"}) as answer:
            assert answer.status == 408
        async with steer.post("inbound", json={"from": worker, "to": sender, "body": "1"}) as answer:
            assert await answer.json() == {"status": 204}
        async with steer.get("requests") as answer:
            assert [row["outcome"] for row in await answer.json()] == ["faulted", "provider_accepted"]
        async with steer.post("reset") as answer:
            assert answer.status == 200
        assert (on.emulator.phones.sms, len(on.emulator.messages)) == ([], 0)
        assert on.emulator.phones.behaviour(worker) == Behaviour()


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "faults", b'{"kind": "gone"}', 400),
        ("POST", "faults", b'{"kind": "slow", "accepts": true}', 400),
        ("POST", "faults", b"not json", 400),
        ("POST", "phones", b'{"thumbs": 2}', 400),
        ("POST", "inbound", b'{"body": "x"}', 400),
        ("GET", "inbox?sms=x", b"", 400),
        ("GET", "nothing", b"", 404),
    ],
)
async def test_bad_steering_is_refused(method: str, path: str, body: bytes, status: int) -> None:
    async with stage() as on, aiohttp.ClientSession(f"{on.emulator.base_url}/_emulator/") as steer:
        answer = await steer.request(method, path, data=body)
        assert answer.status == status
        assert "error" in await answer.json()


def test_a_signature_covers_address_and_sorted_fields() -> None:
    """Recomputed from the definition of HMAC (RFC 2104) with hashlib alone."""
    url, params = "https://example.com/h?x=1", {"To": "+18005551212", "Digits": "1234"}
    signed = b"https://example.com/h?x=1Digits1234To+18005551212"
    block = auth_token.encode().ljust(64, b"\0")
    inner = hashlib.sha1(bytes(b ^ 0x36 for b in block) + signed).digest()
    outer = hashlib.sha1(bytes(b ^ 0x5C for b in block) + inner).hexdigest()
    assert base64.b64decode(signature(auth_token, url, params)).hex() == outer


@pytest.mark.parametrize(
    ("body", "parts"),
    [("a" * 160, 1), ("a" * 161, 2), ("{" * 81, 2), ("火" * 70, 1), ("火" * 71, 2), ("😀" * 35, 1), ("😀" * 36, 2)],
)
def test_sms_parts(body: str, parts: int) -> None:
    assert segments(body) == parts


async def test_a_process_of_its_own_prints_its_address_and_events(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.jsonl"
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "simulators.twilio", "--time-scale", "0", "--events", "--ledger", str(ledger)),
        stdout=asyncio.subprocess.PIPE,
    )
    assert child.stdout is not None
    try:
        hello = json.loads(await child.stdout.readline())
        async with AsyncTwilioHttpClient() as http:
            client = Client(hello["account_sid"], hello["auth_token"], http_client=http)
            client.api.base_url = hello["base_url"]
            await client.messages.create_async(to=worker, from_=sender, body=text)
        event = json.loads(await child.stdout.readline())
        assert (event["kind"], event["number"], event["text"]) == ("sms_shown", worker, text)
        assert json.loads(ledger.read_text())["outcome"] == "provider_accepted"
    finally:
        child.terminate()
        assert await child.wait() == 0


async def test_a_crash_behind_the_scenes_is_raised_at_the_end() -> None:
    def stumble(event: PhoneEvent) -> None:
        raise LookupError(event.kind)

    async def story() -> None:
        async with stage(on_event=stumble) as on:
            await on.client.messages.create_async(to=worker, from_=sender, body="x")
            await on.client.messages.list_async(to=worker)  # a round trip: the text has been shown by now

    with pytest.raises(ExceptionGroup) as caught:
        await story()
    assert caught.group_contains(LookupError)
