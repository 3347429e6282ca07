"""What the emulator calls back, signed and in any order, as the providers read it; and a whole call with keys."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import pytest_asyncio
from aiohttp import web
from twilio.request_validator import RequestValidator

from alerting.channels.base import Accepted, CallbackEvent, KeyPress, Receipt, ReceiptKind, Reply
from alerting.channels.providers import twilio_twiml
from alerting.channels.providers.twilio_callbacks import CallbackUrls
from alerting.channels.providers.twilio_client import TwilioAccount
from alerting.channels.providers.twilio_settings import TwilioSettings
from alerting.channels.providers.twilio_sms import TwilioSms
from alerting.channels.providers.twilio_twiml import KeyResult, content_type, standing_script, unacted
from alerting.channels.providers.twilio_voice import TwilioVoice
from alerting.core.messages import CallScript
from devices.model import Channel, Language
from gengfu.clock import SystemClock
from simulators.twilio import Answers, Behaviour, FaultKind, SmsFate, TwilioEmulator
from tests.contract.channel_suite import deadline_s, make_submission
from tests.contract.test_channel_twilio import account_sid, auth_token, script, sender

phone = "+8613800001234"
prefix = "/gengfu"
call_script = json.dumps(script)
own_script = CallScript(
    Language.ZH_CN, *(script[name] for name in ("say", "keys", "recorded", "declined", "missed", "wait"))
)
Answer = Callable[[Mapping[str, str], Mapping[str, str]], str]


@dataclass
class Callbacks:
    """What came in: kind, query, form, and whether its signature held."""

    sms: TwilioSms
    voice: TwilioVoice
    emulator: TwilioEmulator
    answer: Answer = lambda query, form: ""
    got: list[tuple[str, Mapping[str, str], Mapping[str, str]]] = field(default_factory=list)
    forged: int = 0
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        kind = request.path.rsplit("/", 1)[1]
        # A proxy has taken the prefix away and put its own host in.
        seen_here = f"http://10.0.0.7:8000{request.path_qs.removeprefix(prefix)}"
        if not self.sms.verify_signature(seen_here, form, request.headers.get("X-Twilio-Signature")):
            self.forged += 1
            return web.Response(status=403)
        self.got.append((kind, dict(request.query), form))
        self.arrived.set()
        if kind == "voice":
            return web.Response(text=self.answer(request.query, form), content_type=content_type)
        return web.Response(status=204)

    def say(self, result: KeyResult, query: Mapping[str, str], again: int = 0) -> str:
        """The document after a key, as the API gives it."""
        action = self.urls().voice(query["attempt"], Language(query["lang"]), again=again + 1)
        return twilio_twiml.spoken_after(result, own_script, action)

    def urls(self) -> CallbackUrls:
        return CallbackUrls(self.voice._settings.public_url)

    def events(self) -> list[CallbackEvent]:
        """Everything, read by the provider, in the order of arrival."""
        read: list[CallbackEvent] = []
        for kind, query, form in self.got:
            read += self.voice.parse_callback(kind, query.get("attempt"), {**query, **form})
        return read

    async def until(self, wish: Callable[[list[CallbackEvent]], bool]) -> list[CallbackEvent]:
        async with asyncio.timeout(5):
            while not wish(self.events()):
                self.arrived.clear()
                await self.arrived.wait()
        return self.events()

    async def until_kind(self, kind: ReceiptKind) -> list[CallbackEvent]:
        return await self.until(lambda events: any(isinstance(e, Receipt) and e.kind is kind for e in events))


@asynccontextmanager
async def callback_server(app: web.Application) -> AsyncIterator[str]:
    runner = web.AppRunner(app, shutdown_timeout=1.0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


@pytest_asyncio.fixture
async def callbacks() -> AsyncIterator[Callbacks]:
    """Provider, emulator and our side's callback address, in a story without waiting."""
    app = web.Application()
    holder: list[Callbacks] = []

    async def handle(request: web.Request) -> web.Response:
        return await holder[0].handle(request)

    app.router.add_post(prefix + "/callbacks/twilio/{kind}", handle)
    async with callback_server(app) as origin:
        inbound = f"{origin}{prefix}/callbacks/twilio/inbound"
        emulator = TwilioEmulator(
            account_sid=account_sid,
            auth_token=auth_token,
            clock=SystemClock().now,
            inbound_url=inbound,
            time_scale=0,
            speech_seconds_per_char=0.2,
        )
        async with emulator:
            public_url = origin + prefix
            settings = TwilioSettings(account_sid, auth_token, sender, public_url, emulator.base_url, ring_s=20)
            account = TwilioAccount(settings)
            holder.append(Callbacks(TwilioSms(account), TwilioVoice(account), emulator))
            yield holder[0]
            await holder[0].sms.close()
            await holder[0].voice.close()


async def test_a_text_is_followed_to_its_delivery(callbacks: Callbacks) -> None:
    submission = make_submission(Channel.SMS, 1, "火警 编号A7K2", phone)
    answer = await callbacks.sms.submit(submission, deadline_s)
    assert isinstance(answer, Accepted)
    events = await callbacks.until_kind(ReceiptKind.DELIVERED)
    ref, attempt = answer.provider_ref, submission.attempt_id
    assert events == [Receipt(attempt, ReceiptKind.SENT, ref), Receipt(attempt, ReceiptKind.DELIVERED, ref)]


async def test_an_undelivered_text_says_why(callbacks: Callbacks) -> None:
    callbacks.emulator.phones.default = Behaviour(sms=SmsFate.UNDELIVERED, sms_error_code=30005)
    await callbacks.sms.submit(make_submission(Channel.SMS, 1, "火警", phone), deadline_s)
    events = await callbacks.until_kind(ReceiptKind.FAILED)
    assert [event.error for event in events if isinstance(event, Receipt)] == ["", "30005"]


async def test_reordered_callbacks_are_read_each_for_itself(callbacks: Callbacks) -> None:
    callbacks.emulator.faults.set(FaultKind.REORDERED_CALLBACK, count=1)
    await callbacks.sms.submit(make_submission(Channel.SMS, 1, "火警", phone), deadline_s)
    events = await callbacks.until_kind(ReceiptKind.SENT)
    assert [e.kind for e in events if isinstance(e, Receipt)] == [ReceiptKind.DELIVERED, ReceiptKind.SENT]


async def test_a_doubled_callback_has_the_same_key_and_another_has_not(callbacks: Callbacks) -> None:
    callbacks.emulator.faults.set(FaultKind.DOUBLED_CALLBACK, count=1)
    await callbacks.sms.submit(make_submission(Channel.SMS, 1, "火警", phone), deadline_s)
    await callbacks.until_kind(ReceiptKind.DELIVERED)
    keys = [callbacks.sms.callback_key(kind, {**query, **form}) for kind, query, form in callbacks.got]
    assert len(keys) == 3
    assert keys[0] == keys[1] != keys[2]


async def test_a_callback_may_come_before_our_answer(callbacks: Callbacks) -> None:
    callbacks.emulator.faults.set(FaultKind.CALLBACK_BEFORE_ANSWER)
    submission = make_submission(Channel.SMS, 1, "火警", phone)
    answer = await callbacks.sms.submit(submission, deadline_s)
    assert isinstance(answer, Accepted)
    assert [e.attempt_id for e in callbacks.events() if isinstance(e, Receipt)] == [submission.attempt_id] * 2


async def test_calls_that_nobody_takes(callbacks: Callbacks) -> None:
    outcomes = {
        Answers.NEVER: ReceiptKind.NO_ANSWER,
        Answers.BUSY: ReceiptKind.BUSY,
        Answers.UNREACHABLE: ReceiptKind.NO_ANSWER,  # `failed` with SIP 480
    }
    for answers, kind in outcomes.items():
        callbacks.got.clear()
        callbacks.emulator.phones.default = Behaviour(answers=answers)
        await callbacks.voice.submit(make_submission(Channel.VOICE, 1, call_script, phone), deadline_s)
        await callbacks.until_kind(kind)
    (call, *_) = callbacks.emulator.calls._by_sid.values()
    assert call.ring_s == 20


async def test_a_call_with_key_1(callbacks: Callbacks) -> None:
    """The page is heard, the key cuts it, "recorded" is said, and nothing else."""
    attempt: list[str] = []

    def answer(query: Mapping[str, str], form: Mapping[str, str]) -> str:
        attempt.append(query["attempt"])
        assert form["Digits"] == "1"
        return callbacks.say(KeyResult.RECORDED, query)

    callbacks.answer = answer
    callbacks.emulator.phones.default = Behaviour(keys="1", press_after_s=6.0)
    submission = make_submission(Channel.VOICE, 1, call_script, phone)
    await callbacks.voice.submit(submission, deadline_s)
    events = await callbacks.until_kind(ReceiptKind.COMPLETED)
    assert attempt == [submission.attempt_id]
    seen = [event.kind for event in events if isinstance(event, Receipt)]
    assert set(seen) == {
        ReceiptKind.PROVIDER_ACCEPTED,
        ReceiptKind.RINGING,
        ReceiptKind.ANSWERED,
        ReceiptKind.COMPLETED,
    }
    assert [event for event in events if isinstance(event, KeyPress)] == [KeyPress(submission.attempt_id, "1")]
    (call,) = callbacks.emulator.phones.inbox(phone).calls
    assert [heard.text for heard in call.heard] == [script["say"], script["keys"], script["recorded"]]
    assert callbacks.forged == 0
    assert not callbacks.emulator.webhooks.troubles


async def test_a_voicemail_hears_the_page_twice_and_confirms_nothing(callbacks: Callbacks) -> None:
    def answer(query: Mapping[str, str], form: Mapping[str, str]) -> str:
        result = unacted(form["Digits"], 0)
        assert result is KeyResult.MISSED
        return callbacks.say(result, query)

    callbacks.answer = answer
    callbacks.emulator.phones.default = Behaviour(answers=Answers.VOICEMAIL)
    submission = make_submission(Channel.VOICE, 1, call_script, phone)
    await callbacks.voice.submit(submission, deadline_s)
    events = await callbacks.until_kind(ReceiptKind.COMPLETED)
    assert [event for event in events if isinstance(event, KeyPress)] == [KeyPress(submission.attempt_id, "")]
    (call,) = callbacks.emulator.phones.inbox(phone).calls
    page = [script["say"], script["keys"]]
    assert [heard.text for heard in call.heard] == [*page, *page, script["missed"]]


async def test_key_3_repeats_the_page_and_then_1_counts(callbacks: Callbacks) -> None:
    def answer(query: Mapping[str, str], form: Mapping[str, str]) -> str:
        again = int(query.get("again", "0"))
        result = unacted(form["Digits"], again) or KeyResult.RECORDED
        return callbacks.say(result, query, again)

    callbacks.answer = answer
    callbacks.emulator.phones.default = Behaviour(keys="31", press_after_s=6.0)
    await callbacks.voice.submit(make_submission(Channel.VOICE, 1, call_script, phone), deadline_s)
    events = await callbacks.until_kind(ReceiptKind.COMPLETED)
    assert [event.digits for event in events if isinstance(event, KeyPress)] == ["3", "1"]
    (call,) = callbacks.emulator.phones.inbox(phone).calls
    page = [script["say"], script["keys"]]
    assert [heard.text for heard in call.heard] == [*page, *page, script["recorded"]]


async def test_a_slow_store_keeps_the_key_and_in_the_end_tells_the_truth(callbacks: Callbacks) -> None:
    def answer(query: Mapping[str, str], form: Mapping[str, str]) -> str:
        digits = form.get("Digits") or query["digits"]

        def following(retry: int) -> str:
            return callbacks.urls().voice(query["attempt"], Language.ZH_CN, digits=digits, retry=retry)

        return twilio_twiml.please_wait(standing_script(query["lang"]), int(query.get("retry", "0")), following)

    callbacks.answer = answer
    callbacks.emulator.phones.default = Behaviour(keys="1", press_after_s=6.0)
    submission = make_submission(Channel.VOICE, 1, call_script, phone)
    await callbacks.voice.submit(submission, deadline_s)
    events = await callbacks.until_kind(ReceiptKind.COMPLETED)
    presses = [event for event in events if isinstance(event, KeyPress)]
    assert presses == [KeyPress(submission.attempt_id, "1")] * 4
    voice = [(kind, {**query, **form}) for kind, query, form in callbacks.got if kind == "voice"]
    assert len({callbacks.voice.callback_key(kind, form) for kind, form in voice}) == 1
    (call,) = callbacks.emulator.phones.inbox(phone).calls
    assert [heard.text for heard in call.heard][2:] == ["请稍候。"] * 3 + ["未确认，稍后再次呼叫。"]


async def test_a_reply_is_read_with_its_sender(callbacks: Callbacks) -> None:
    assert await callbacks.emulator.inbound(phone, sender, "1 出发") == 204
    (reply,) = callbacks.events()
    assert isinstance(reply, Reply)
    assert (reply.address, reply.text) == (phone, "1 出发")


async def test_forged_callbacks_are_refused(callbacks: Callbacks) -> None:
    await callbacks.sms.submit(make_submission(Channel.SMS, 1, "火警", phone), deadline_s)
    await callbacks.until_kind(ReceiptKind.DELIVERED)
    _, query, form = callbacks.got[0]
    stranger = TwilioAccount(replace(callbacks.sms._settings, auth_token="stranger", previous_auth_token=auth_token))
    rotated = TwilioSms(stranger)
    url = f"http://x{prefix}/callbacks/twilio/status?attempt={query['attempt']}"
    public = callbacks.sms._settings.public_url + f"/callbacks/twilio/status?attempt={query['attempt']}"
    signature = RequestValidator(auth_token).compute_signature(public, form)
    assert callbacks.sms.verify_signature(url, form, signature)
    assert rotated.verify_signature(url, form, signature)
    assert not callbacks.sms.verify_signature(url, {**form, "MessageStatus": "failed"}, signature)
    assert not callbacks.sms.verify_signature(url + "0", form, signature)
    assert not callbacks.sms.verify_signature(url, {**form, "file": b"\x00"}, signature)
    assert not callbacks.sms.verify_signature(url, form, signature[:-1])
    assert not callbacks.sms.verify_signature(url, form, None)
