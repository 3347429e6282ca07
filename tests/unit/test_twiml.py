"""TwiML read and walked through without a phone or a wire: tables of documents and what follows from them."""

import pytest

from simulators.twilio import twiml
from simulators.twilio.twiml import Collected, End, EndReason, Fetch, Gather, Hangup, Listen, Pause, Play, Redirect, Say

menu = (
    '<?xml version="1.0" encoding="UTF-8"?><Response>'
    '<Gather numDigits="1" timeout="6" action="/keys?attempt=a1&amp;n=1" actionOnEmptyResult="true" finishOnKey="">'
    '<Say language="zh-CN">紧急火警。三栋二单元</Say><Pause length="2"/></Gather></Response>'
)


@pytest.mark.parametrize(
    ("inside", "verbs"),
    [
        ("", ()),
        ("<Say>火警</Say>", (Say("火警"),)),
        ('<Say language="zh-CN" voice="Polly.Zhiyu">  三栋\n二单元 </Say>', (Say("三栋 二单元", "zh-CN"),)),
        ("<Say>Flat <say-as interpret-as='digits'>1201</say-as> now</Say>", (Say("Flat 1201 now"),)),
        ("<Say>&lt;3 &amp; 4</Say>", (Say("<3 & 4"),)),
        ('<Say loop="2">x</Say>', (Say("x"), Say("x"))),
        ("<Play>http://h/a.mp3</Play>", (Play("http://h/a.mp3"),)),
        ("<Pause/>", (Pause(1.0),)),
        ('<Pause length="3"/>', (Pause(3.0),)),
        ("<Gather/>", (Gather(),)),
        ('<Gather timeout="auto" method="get" action="a"/>', (Gather(action="a", method="GET"),)),
        ('<Gather input="speech"/>', (Gather(hears_keys=False),)),
        ("<Redirect>/next</Redirect>", (Redirect("/next"),)),
        ('<Redirect method="GET">/next?a=1&amp;b=2</Redirect>', (Redirect("/next?a=1&b=2", "GET"),)),
        ("<Hangup/>", (Hangup(),)),
        ('<Reject reason="busy"/>', (Hangup(),)),
    ],
)
def test_a_document_becomes_verbs(inside: str, verbs: tuple[twiml.Verb, ...]) -> None:
    assert twiml.parse(f"<Response>{inside}</Response>") == verbs


def test_an_endless_loop_is_long_but_ends() -> None:
    assert len(twiml.parse('<Response><Say loop="0">x</Say></Response>')) == twiml.loops_max


@pytest.mark.parametrize(
    "document",
    [
        "",
        "Hello",
        "<Response><Say>open",
        "<Answer/>",
        "<Response><Dial>+15550100</Dial></Response>",
        "<Response><Gather><Gather/></Gather></Response>",
        '<Response><Gather numDigits="0"/></Response>',
        '<Response><Gather numDigits="-1"/></Response>',
        '<Response><Gather timeout="soon"/></Response>',
        '<Response><Gather finishOnKey="x"/></Response>',
        '<Response><Gather method="PUT"/></Response>',
        '<Response><Pause length="1.5"/></Response>',
        '<!DOCTYPE r [<!ENTITY a "b">]><Response><Say>&a;</Say></Response>',
        f"<Response><Say>{'x' * twiml.document_chars_max}</Say></Response>",
    ],
)
def test_what_is_no_voice_document_is_refused(document: str) -> None:
    with pytest.raises(twiml.TwimlError):
        twiml.parse(document)


@pytest.mark.parametrize(
    ("verbs", "scene"),
    [
        ((), twiml.Scene((), End(EndReason.DOCUMENT_END))),
        ((Say("a"), Pause(1)), twiml.Scene((Say("a"), Pause(1)), End(EndReason.DOCUMENT_END))),
        ((Say("a"), Hangup(), Say("b")), twiml.Scene((Say("a"),), End(EndReason.HANGUP))),
        ((Play("p"), Redirect("/n", "GET"), Say("b")), twiml.Scene((Play("p"),), Fetch("/n", "GET"))),
        ((Say("a"), Gather(), Say("b")), twiml.Scene((Say("a"),), Listen(Gather(), (Say("b"),)))),
    ],
)
def test_what_is_heard_up_to_the_next_decision(verbs: tuple[twiml.Verb, ...], scene: twiml.Scene) -> None:
    assert twiml.begin(verbs) == scene


@pytest.mark.parametrize(
    ("on_empty", "digits", "scene"),
    [
        (False, "1", twiml.Scene((), Fetch("/k", "POST", "1"))),
        (True, "1", twiml.Scene((), Fetch("/k", "POST", "1"))),
        (True, "", twiml.Scene((), Fetch("/k", "POST", ""))),
        (False, "", twiml.Scene((Say("again"),), Fetch("/m"))),
    ],
)
def test_what_follows_a_gather(on_empty: bool, digits: str, scene: twiml.Scene) -> None:
    listen = Listen(Gather(action="/k", on_empty=on_empty), (Say("again"), Redirect("/m")))
    assert twiml.gathered(listen, digits) == scene


@pytest.mark.parametrize(
    ("gather", "keys", "collected"),
    [
        (Gather(num_digits=1), "1", Collected("1", "", True)),
        (Gather(num_digits=1), "31", Collected("3", "1", True)),
        (Gather(num_digits=4), "12", Collected("12", "", False)),
        (Gather(), "12", Collected("12", "", False)),
        (Gather(), "12#3", Collected("12", "3", True)),
        (Gather(), "#", Collected("", "", True)),
        (Gather(num_digits=1, finish_on_key=""), "#", Collected("#", "", True)),
        (Gather(num_digits=2, finish_on_key="*"), "1*2", Collected("1", "2", True)),
        (Gather(hears_keys=False), "1", Collected("", "1", False)),
    ],
)
def test_keys_pressed_while_a_gather_is_open(gather: Gather, keys: str, collected: Collected) -> None:
    assert twiml.collect(gather, keys) == collected


def test_the_alarm_menu_from_end_to_end() -> None:
    scene = twiml.begin(twiml.parse(menu))
    assert isinstance(scene.then, Listen)
    assert scene.sounds == ()
    assert scene.then.gather.prompts == (Say("紧急火警。三栋二单元", "zh-CN"), Pause(2.0))
    assert scene.then.gather.timeout_s == 6.0
    after = twiml.gathered(scene.then, twiml.collect(scene.then.gather, "1").digits)
    assert after == twiml.Scene((), Fetch("/keys?attempt=a1&n=1", "POST", "1"))


def test_texts_of_an_answer_and_words_for_a_ledger() -> None:
    assert twiml.messages("<Response><Message>one</Message><Message><Body>two</Body></Message></Response>") == (
        "one",
        "two",
    )
    assert twiml.spoken(menu) == "紧急火警。三栋二单元"
