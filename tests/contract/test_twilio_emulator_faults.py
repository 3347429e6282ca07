"""Every fault on demand, seen through the real SDK and through a plain HTTP client."""

import asyncio
import time

import aiohttp
import pytest
from twilio.base.exceptions import TwilioRestException

from simulators.emulating.faults import Fault, FaultBoard
from simulators.phone import Behaviour
from simulators.twilio import Channel, FaultKind, Outcome
from tests.support.twilio_customer import Stage, account_sid, auth_token, sender, stage

pytestmark = pytest.mark.filterwarnings("ignore:.*auth:DeprecationWarning")  # twilio 9 under aiohttp 3.14
worker, other = "+8613800000001", "+8613800000002"
thanks = "<Response><Say>已记录</Say><Hangup/></Response>"
impatience_s = 0.15


async def send(on: Stage, to: str = worker, **fields: object) -> str:
    """Create a message; its SID."""
    message = await on.client.messages.create_async(to=to, from_=sender, body="火警", **fields)
    return str(message.sid)


async def post(on: Stage, to: str = worker) -> aiohttp.ClientResponse:
    """Create a message with a plain client; the answer with its headers."""
    url = f"{on.emulator.base_url}/2010-04-01/Accounts/{account_sid}/Messages.json"
    headers = {"Authorization": aiohttp.encode_basic_auth(account_sid, auth_token)}
    async with aiohttp.ClientSession() as session:
        answer = await session.post(url, data={"To": to, "From": sender, "Body": "x"}, headers=headers)
        await answer.read()
        return answer


async def test_too_many_requests_names_the_wait_and_takes_nothing() -> None:
    async with stage() as on:
        on.emulator.faults.set("status_429", count=2, seconds=3)
        answer = await post(on)
        assert (answer.status, answer.headers["Retry-After"]) == (429, "3")
        assert (await answer.json())["code"] == 20429
        with pytest.raises(TwilioRestException) as caught:
            await send(on)
        assert (caught.value.status, caught.value.code) == (429, 20429)
        assert on.emulator.phones.sms == []
        await send(on)
        assert [row.outcome for row in on.emulator.ledger.rows] == [
            Outcome.FAULTED,
            Outcome.FAULTED,
            Outcome.PROVIDER_ACCEPTED,
        ]
        assert on.emulator.ledger.rows[0].faults == (FaultKind.STATUS_429,)


@pytest.mark.parametrize("accepts", [False, True])
async def test_a_500_may_hide_an_acceptance(accepts: bool) -> None:
    async with stage() as on:
        on.emulator.faults.set(FaultKind.STATUS_500, count=1, accepts=accepts)
        with pytest.raises(TwilioRestException) as caught:
            await send(on)
        assert caught.value.status == 500
        assert len(await on.client.messages.list_async(to=worker)) == accepts


@pytest.mark.parametrize("accepts", [False, True])
async def test_a_cut_line(accepts: bool) -> None:
    async with stage() as on:
        on.emulator.faults.set("cut_line", count=1, accepts=accepts)
        with pytest.raises(aiohttp.ClientConnectionError):
            await send(on)
        assert len(on.emulator.messages) == accepts
        assert await send(on)


@pytest.mark.parametrize(("kind", "taken"), [("silence", 0), ("accept_then_time_out", 1)])
async def test_an_answer_that_never_comes(kind: str, taken: int) -> None:
    async with stage() as on:
        on.emulator.faults.set(kind, count=1)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(impatience_s):
                await send(on, status_callback=f"{on.customer.base_url}/status?attempt=a1")
        if taken:
            await on.customer.until("/status", 2)
        assert len(on.emulator.phones.sms) == taken
        assert len(on.customer.hooks) == 2 * taken
        assert len(await on.client.messages.list_async(to=worker)) == taken


async def test_slowness_delays_and_then_takes() -> None:
    async with stage() as on:
        on.emulator.faults.set("slow", count=1, seconds=1.0)
        begun = time.monotonic()
        await send(on)
        assert time.monotonic() - begun >= 1.0
        begun = time.monotonic()
        await send(on)
        assert time.monotonic() - begun < 1.0


async def test_a_proxy_page_with_status_200() -> None:
    async with stage() as on:
        on.emulator.faults.set("html", count=1)
        answer = await post(on)
        assert (answer.status, answer.content_type) == (200, "text/html")
        assert len(on.emulator.messages) == 0


async def test_any_twilio_code() -> None:
    async with stage() as on:
        on.emulator.faults.set("error", count=1, code=21408, status=403)
        with pytest.raises(TwilioRestException) as caught:
            await send(on)
        assert (caught.value.status, caught.value.code) == (403, 21408)


async def test_faults_keep_to_their_channel_number_and_count() -> None:
    async with stage() as on:
        on.emulator.faults.set("status_500", channel="sms", number=worker)
        await send(on, to=other)
        await on.client.calls.create_async(to=worker, from_=sender, twiml=thanks)
        for _ in range(2):
            with pytest.raises(TwilioRestException):
                await send(on)
        on.emulator.faults.clear("voice")
        with pytest.raises(TwilioRestException):
            await send(on)
        on.emulator.faults.clear("sms")
        await send(on)


async def test_an_outage_spoils_reads_too() -> None:
    async with stage() as on:
        sid = await send(on)
        on.emulator.faults.set("status_500", count=1)
        assert (await on.client.messages(sid).fetch_async()).sid == sid  # creates only
        on.emulator.faults.clear()
        on.emulator.faults.set("status_500", reads=True)
        with pytest.raises(TwilioRestException):
            await on.client.messages(sid).fetch_async()
        with pytest.raises(TwilioRestException):
            await send(on)


@pytest.mark.parametrize(
    ("kind", "statuses"),
    [
        ("lost_callback", ["delivered"]),
        ("doubled_callback", ["sent", "sent", "delivered"]),
        ("reordered_callback", ["delivered", "sent"]),
    ],
)
async def test_callbacks_get_lost_doubled_and_out_of_order(kind: str, statuses: list[str]) -> None:
    async with stage() as on:
        on.emulator.faults.set(kind, channel="sms", count=1)
        await send(on, status_callback=f"{on.customer.base_url}/status")
        hooks = await on.customer.until("/status", len(statuses))
        await send(on, status_callback=f"{on.customer.base_url}/later")
        await on.customer.until("/later", 2)
        assert [hook.form["MessageStatus"] for hook in hooks] == statuses
        assert len(on.customer.to("/status")) == len(statuses)


async def test_a_callback_before_the_answer() -> None:
    async with stage() as on:
        on.emulator.faults.set("callback_before_answer", count=1)
        await send(on, status_callback=f"{on.customer.base_url}/status")
        assert len(on.customer.to("/status")) == 2  # already there, without waiting


async def test_callbacks_are_held_until_let_go() -> None:
    async with stage() as on:
        on.emulator.webhooks.hold(True)
        await send(on, status_callback=f"{on.customer.base_url}/status")
        for _ in range(3):  # time enough for a callback to arrive, were it not held
            await on.emulator.inbound(worker, sender, "hello")
        assert len(on.emulator.phones.sms) == 1
        assert on.customer.to("/status") == []
        on.emulator.webhooks.hold(False)
        assert len(await on.customer.until("/status", 2)) == 2


async def test_a_queued_call_says_so() -> None:
    async with stage() as on:
        on.emulator.faults.set("queue_time", channel="voice", count=1, seconds=0.05)
        begun = time.monotonic()
        call = await on.client.calls.create_async(to=worker, from_=sender, twiml=thanks)
        assert call.queue_time == "50"
        await on.emulator.until(lambda book: any(c.outcome for c in book.calls))
        assert time.monotonic() - begun >= 0.05


async def test_an_unreachable_callback_address_is_noted_and_harms_nobody() -> None:
    async with stage(behaviour=Behaviour(reply="1")) as on:
        on.emulator.inbound_url = "http://127.0.0.1:9/inbound"
        await send(on, status_callback="http://127.0.0.1:9/status")
        assert await on.emulator.inbound(worker, sender, "hello") is None
        assert len(on.emulator.phones.sms) == 1
        assert any("127.0.0.1:9/inbound" in trouble for trouble in on.emulator.webhooks.troubles)


async def test_a_closing_emulator_lets_silent_requests_end() -> None:
    async with aiohttp.ClientSession() as session:
        async with stage() as on:
            on.emulator.faults.set("accept_then_time_out")
            url = f"{on.emulator.base_url}/2010-04-01/Accounts/{account_sid}/Messages.json"
            headers = {"Authorization": aiohttp.encode_basic_auth(account_sid, auth_token)}
            form = {"To": worker, "From": sender, "Body": "x"}
            pending = asyncio.create_task(session.post(url, data=form, headers=headers))
            await on.emulator.until(lambda book: len(book.sms) == 1)
        with pytest.raises(aiohttp.ClientError):
            await pending


def test_a_board_uses_one_answer_at_a_time_and_every_delay() -> None:
    board = FaultBoard()
    board.set("slow", count=1)
    board.set("status_500", count=1)
    board.set("silence", count=1)
    taken = board.take_for_request(Channel.SMS, worker)
    assert [fault.kind for fault in taken] == [FaultKind.SLOW, FaultKind.STATUS_500]
    assert [fault.kind for fault in board.take_for_request(Channel.VOICE, other)] == [FaultKind.SILENCE]
    assert board.take_for_request(Channel.SMS, worker) == []


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": FaultKind.SLOW, "accepts": True},
        {"kind": FaultKind.SLOW, "count": 0},
        {"kind": FaultKind.SLOW, "seconds": -1.0},
        {"kind": FaultKind.ERROR, "status": 200},
    ],
)
def test_a_fault_without_meaning_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        Fault(**fields)  # type: ignore[arg-type]
