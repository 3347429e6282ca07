"""Calls through the real SDK: ringing, TwiML conversations with a virtual worker, callbacks, hanging up."""

import pytest
from twilio.base.exceptions import TwilioRestException

from simulators.phone import Answers, Behaviour, CallReceived, PhoneEvent, PhoneEventKind
from tests.support.twilio_customer import Hook, Stage, sender, stage

pytestmark = pytest.mark.filterwarnings("ignore:.*auth:DeprecationWarning")  # twilio 9 under aiohttp 3.14
worker = "+8613800000001"
all_events = ["initiated", "ringing", "answered", "completed"]
place = "紧急火警。三栋二单元十二楼"
thanks = "<Response><Say>已记录</Say><Hangup/></Response>"


def menu(attributes: str, after: str = "") -> str:
    """A document that says the place and listens for a key."""
    return f"<Response><Gather {attributes}><Say>{place}</Say></Gather>{after}</Response>"


async def ring(on: Stage, twiml: str | None = None, **fields: object) -> CallReceived:
    """Place a call and wait until it is over."""
    before = len(on.emulator.phones.calls)
    content = {} if twiml is None else {"twiml": twiml}
    await on.client.calls.create_async(to=worker, from_=sender, **content, **fields)
    await on.emulator.until(lambda book: any(call.outcome for call in book.calls[before:]))
    return on.emulator.phones.calls[before]


def statuses(hooks: list[Hook]) -> list[str]:
    """The call statuses reported, in the order of arrival."""
    return [hook.form["CallStatus"] for hook in hooks]


async def test_a_key_reaches_the_action_address() -> None:
    seen: list[PhoneEvent] = []
    async with stage(on_event=seen.append) as on:
        on.customer.answers["/keys"] = thanks
        keys = f'numDigits="1" timeout="6" action="{on.customer.base_url}/keys?attempt=a1"'
        status = f"{on.customer.base_url}/status?attempt=a1"
        call = await ring(on, menu(keys), status_callback=status, status_callback_event=all_events)
        (hook,) = on.customer.to("/keys")
        assert hook.genuine
        assert hook.path == "/keys?attempt=a1"
        assert (hook.form["Digits"], hook.form["CallStatus"]) == ("1", "in-progress")
        assert (hook.form["To"], hook.form["From"], hook.form["CallSid"]) == (worker, sender, call.sid)
        assert [heard.text for heard in call.heard] == [place, "已记录"]
        assert (call.pressed, call.outcome, call.attempt) == ("1", "completed", "a1")
        hooks = await on.customer.until("/status", 4)
        assert statuses(hooks) == ["initiated", "ringing", "in-progress", "completed"]
        assert [hook.form["SequenceNumber"] for hook in hooks] == ["0", "1", "2", "3"]
        assert all(hook.genuine for hook in hooks)
        assert int(hooks[-1].form["CallDuration"]) >= 3
    kinds = PhoneEventKind
    wanted = [kinds.RINGING, kinds.ANSWERED, kinds.HEARD, kinds.KEY_PRESSED, kinds.HEARD, kinds.CALL_ENDED]
    assert [event.kind for event in seen] == wanted
    assert (seen[3].number, seen[3].text, seen[3].attempt) == (worker, "1", "a1")


async def test_only_the_events_asked_for_are_reported() -> None:
    async with stage() as on:
        status = f"{on.customer.base_url}/status"
        await ring(on, thanks, status_callback=status)
        await on.customer.until("/status", 1)
        await ring(on, thanks, status_callback=status, status_callback_event=["answered"])
        assert statuses(await on.customer.until("/status", 2)) == ["completed", "in-progress"]


@pytest.mark.parametrize(
    ("behaviour", "outcome", "heard"),
    [
        (Behaviour(answers=Answers.NEVER), "no-answer", 0),
        (Behaviour(answers_after_s=26.0), "no-answer", 0),
        (Behaviour(answers_after_s=25.0), "completed", 1),
        (Behaviour(answers=Answers.BUSY), "busy", 0),
        (Behaviour(answers=Answers.VOICEMAIL), "completed", 1),
        (Behaviour(keys=""), "completed", 1),
    ],
)
async def test_who_answers_and_who_presses(behaviour: Behaviour, outcome: str, heard: int) -> None:
    async with stage(behaviour=behaviour) as on:
        on.customer.answers["/keys"] = "<Response><Hangup/></Response>"
        keys = f'numDigits="7" action="{on.customer.base_url}/keys"'
        status = f"{on.customer.base_url}/status"
        call = await ring(on, menu(keys), timeout=25, status_callback=status)
        (hook,) = await on.customer.until("/status", 1)
        assert (hook.form["CallStatus"], call.outcome, len(call.heard)) == (outcome, outcome, heard)
        pressed = "1" if behaviour.keys and behaviour.answers is Answers.PERSON and heard else ""
        assert call.pressed == pressed
        assert len(on.customer.to("/keys")) == len(pressed)


async def test_a_phone_that_is_off_fails_the_call_and_never_rings() -> None:
    async with stage(behaviour=Behaviour(answers=Answers.UNREACHABLE)) as on:
        status = f"{on.customer.base_url}/status"
        await on.client.calls.create_async(to=worker, from_=sender, twiml=thanks, status_callback=status)
        (hook,) = await on.customer.until("/status", 1)
        assert (hook.form["CallStatus"], hook.form["SipResponseCode"]) == ("failed", "480")
        assert on.emulator.phones.calls == []


async def test_an_empty_gather_asks_or_falls_through() -> None:
    async with stage(behaviour=Behaviour(keys="")) as on:
        on.customer.answers["/keys"] = "<Response><Say>未确认</Say></Response>"
        action = f'action="{on.customer.base_url}/keys"'
        call = await ring(on, menu(action + ' actionOnEmptyResult="true"'))
        assert [hook.form["Digits"] for hook in on.customer.to("/keys")] == [""]
        assert call.words() == f"{place} 未确认"
        call = await ring(on, menu(action, after="<Say>稍后再次呼叫</Say>"))
        assert len(on.customer.to("/keys")) == 1
        assert call.words() == f"{place} 稍后再次呼叫"


async def test_redirects_and_relative_addresses_are_followed() -> None:
    async with stage() as on:
        on.customer.answers["/voice/begin"] = '<Response><Redirect method="GET">menu?n=2</Redirect></Response>'
        on.customer.answers["/voice/menu"] = menu('numDigits="1" action="/voice/keys"')
        on.customer.answers["/voice/keys"] = thanks
        call = await ring(on, url=f"{on.customer.base_url}/voice/begin")
        assert [hook.path.split("?")[0] for hook in on.customer.hooks] == ["/voice/begin", "/voice/menu", "/voice/keys"]
        assert on.customer.hooks[1].path.startswith("/voice/menu?n=2&AccountSid=")
        assert all(hook.genuine for hook in on.customer.hooks)
        assert on.customer.hooks[0].form["CallStatus"] == "in-progress"
        assert (call.words(), call.pressed) == (f"{place} 已记录", "1")


async def test_a_circle_of_redirects_and_a_missing_document_end_in_an_apology() -> None:
    async with stage() as on:
        on.customer.answers["/circle"] = "<Response><Redirect>/circle</Redirect></Response>"
        call = await ring(on, url=f"{on.customer.base_url}/circle")
        assert "application error" in call.words()
        call = await ring(on, url=f"{on.customer.base_url}/nothing-there")
        assert "application error" in call.words()
        call = await ring(on, "<Response><Dial/></Response>")
        assert "application error" in call.words()
        assert len(on.emulator.webhooks.troubles) == 3


async def test_keys_wait_for_their_gather() -> None:
    async with stage(behaviour=Behaviour(keys="31")) as on:
        on.customer.answers["/keys"] = menu('numDigits="1" action="/second"')
        on.customer.answers["/second"] = thanks
        call = await ring(on, menu(f'numDigits="1" action="{on.customer.base_url}/keys"'))
        assert [hook.form["Digits"] for hook in on.customer.hooks] == ["3", "1"]
        assert call.pressed == "31"
    async with stage(behaviour=Behaviour()) as on:
        call = await ring(on, f"<Response><Say>{place}</Say></Response>")
        assert call.pressed == ""


async def test_a_key_during_the_speech_cuts_it_and_a_late_key_is_not_pressed() -> None:
    seconds = 0.2 * len(place)  # 13 wide characters: 2.6 s
    async with stage(behaviour=Behaviour(press_after_s=1.3)) as on:
        on.customer.answers["/keys"] = thanks
        action = f'numDigits="1" timeout="6" action="{on.customer.base_url}/keys"'
        call = await ring(on, menu(action))
        assert call.heard[0].text == place[:6]
        assert call.heard[1].seconds == pytest.approx(1.3)
        on.emulator.phones.default = Behaviour(press_after_s=seconds + 5.9)
        call = await ring(on, menu(action))
        assert (call.heard[0].text, call.pressed) == (place, "1")
        assert call.heard[1].seconds == pytest.approx(seconds + 5.9)
        assert call.words(before_s=6.0) == place
        on.emulator.phones.default = Behaviour(press_after_s=seconds + 6.1)
        assert (await ring(on, menu(action))).pressed == ""


async def test_patience_and_time_limit_end_a_call() -> None:
    endless = '<Response><Say loop="0">火警</Say></Response>'
    async with stage(behaviour=Behaviour(hangs_up_after_s=2.0)) as on:
        call = await ring(on, endless)
        assert (len(call.heard), call.outcome) == (5, "completed")  # 0.4 s each, the sixth not begun
        call = await ring(on, endless, time_limit=1)
        assert len(call.heard) == 3


async def test_a_redial_meets_another_mood() -> None:
    async with stage() as on:
        on.emulator.phones.set(worker, Behaviour(answers=Answers.NEVER), Behaviour())
        outcomes = [(await ring(on, thanks)).outcome for _ in range(3)]
        assert outcomes == ["no-answer", "completed", "completed"]


async def test_a_queued_or_ringing_call_can_be_cancelled() -> None:
    async with stage(behaviour=Behaviour(answers=Answers.NEVER), time_scale=1.0) as on:
        status = f"{on.customer.base_url}/status"
        call = await on.client.calls.create_async(
            to=worker, from_=sender, twiml=thanks, status_callback=status, status_callback_event=all_events
        )
        await on.customer.until("/status", 2)
        cancelled = await on.client.calls(call.sid).update_async(status="canceled")
        assert cancelled.status == "canceled"
        assert statuses(await on.customer.until("/status", 3))[-1] == "canceled"
        assert on.emulator.phones.calls[0].outcome == "canceled"
        with pytest.raises(TwilioRestException) as caught:
            await on.client.calls(call.sid).update_async(status="canceled")
        assert caught.value.code == 21220
        on.emulator.faults.set("queue_time", seconds=60)
        queued = await on.client.calls.create_async(to=worker, from_=sender, twiml=thanks)
        assert queued.queue_time == "60000"
        assert (await on.client.calls(queued.sid).update_async(status="canceled")).status == "canceled"
        assert len(on.emulator.phones.calls) == 1


async def test_a_running_call_is_hung_up_but_not_cancelled() -> None:
    async with stage(behaviour=Behaviour(answers_after_s=0.0), time_scale=1.0) as on:
        long_pause = '<Response><Pause length="60"/></Response>'
        call = await on.client.calls.create_async(to=worker, from_=sender, twiml=long_pause)
        await on.emulator.until(lambda book: any(c.answered for c in book.calls))
        assert (await on.client.calls(call.sid).update_async(status="canceled")).status == "in-progress"
        assert (await on.client.calls(call.sid).update_async(status="completed")).status == "completed"


async def test_a_second_call_queues_for_its_slot_and_meets_a_busy_line() -> None:
    patient = Behaviour(answers_after_s=0.0, call_waiting=False)
    async with stage(behaviour=patient, time_scale=1.0, calls_per_second=5.0) as on:
        pause = {"to": worker, "from_": sender, "twiml": '<Response><Pause length="60"/></Response>'}
        first = await on.client.calls.create_async(**pause)
        second = await on.client.calls.create_async(**pause)
        assert first.queue_time == "0"
        assert 0 < int(second.queue_time) <= 200
        await on.emulator.until(lambda book: any(c.outcome for c in book.calls))
        assert [call.outcome for call in on.emulator.phones.calls] == ["", "busy"]
