"""What calls say: documents as a parser of another hand reads them."""

import json
from dataclasses import asdict, replace

from alerting.channels.providers.twilio_callbacks import CallbackUrls, callback_key, parse
from alerting.channels.providers.twilio_twiml import (
    KeyResult,
    Script,
    page,
    please_wait,
    read_script,
    repeats_max,
    retries_max,
    spoken_after,
    standing_script,
    twiml_chars_max,
    unacted,
)
from devices.model import Language
from simulators.twilio import twiml

script = Script(Language.ZH_CN, "火警。三栋。", "确认出发请按一。", "已记录。", "已转派。", "未确认。", "请稍候。")
urls = CallbackUrls("https://gengfu.example/base/")
action = urls.voice("A1B2", Language.ZH_CN)


def test_addresses_carry_the_attempt() -> None:
    assert urls.status("A1B2") == "https://gengfu.example/base/callbacks/twilio/status?attempt=A1B2"
    assert action == "https://gengfu.example/base/callbacks/twilio/voice?attempt=A1B2&lang=zh-CN"
    assert urls.voice("a&b", Language.EN, digits="#", retry=2).endswith("?attempt=a%26b&lang=en&digits=%23&retry=2")


def test_the_page_is_two_gathers_and_only_the_second_reports_silence() -> None:
    first, second = twiml.parse(page(script, action))
    assert isinstance(first, twiml.Gather)
    assert isinstance(second, twiml.Gather)
    assert (first.on_empty, second.on_empty) == (False, True)
    for gather in (first, second):
        assert gather.prompts == (twiml.Say(script.say, "zh-CN"), twiml.Say(script.keys, "zh-CN"))
        assert (gather.num_digits, gather.timeout_s, gather.finish_on_key) == (1, 6, "")
        assert (gather.action, gather.method, gather.hears_keys) == (action, "POST", True)


def test_words_cannot_break_the_document() -> None:
    nasty = replace(script, language=Language.EN, say='<Dial>&"\x00\x0b</Say>', keys="")
    (gather, _) = twiml.parse(page(nasty, action + '"><Hangup/>'))
    assert isinstance(gather, twiml.Gather)
    assert gather.prompts == (twiml.Say('<Dial>&"</Say>', "en-US"),)
    assert gather.action == action + '"><Hangup/>'


def test_a_long_page_is_said_once() -> None:
    long = replace(script, say="长" * (twiml_chars_max // 2))
    document = page(long, action)
    assert len(document) <= twiml_chars_max
    (gather,) = twiml.parse(document)
    assert isinstance(gather, twiml.Gather)
    assert gather.on_empty


def test_after_a_key() -> None:
    said = {KeyResult.RECORDED: "已记录。", KeyResult.DECLINED: "已转派。", KeyResult.MISSED: "未确认。"}
    for result, words in said.items():
        assert twiml.parse(spoken_after(result, script, action)) == (twiml.Say(words, "zh-CN"), twiml.Hangup())
    (gather,) = twiml.parse(spoken_after(KeyResult.REPEAT, script, action))
    assert isinstance(gather, twiml.Gather)
    assert gather.on_empty


def test_keys_that_change_nothing() -> None:
    assert (unacted("1", 0), unacted("2", 9)) == (None, None)
    assert unacted("", 0) is KeyResult.MISSED
    assert [unacted("7", again) for again in range(2)] == [KeyResult.REPEAT, KeyResult.MISSED]
    repeated = [unacted("3", again) for again in range(repeats_max + 1)]
    assert repeated == [KeyResult.REPEAT] * repeats_max + [KeyResult.MISSED]


def test_a_slow_store_is_asked_three_times() -> None:
    def following(retry: int) -> str:
        return urls.voice("A1B2", Language.ZH_CN, digits="1", retry=retry)

    for retry in range(retries_max):
        say, pause, redirect = twiml.parse(please_wait(script, retry, following))
        assert say == twiml.Say("请稍候。", "zh-CN")
        assert isinstance(pause, twiml.Pause)
        assert redirect == twiml.Redirect(following(retry + 1))
    assert twiml.parse(please_wait(script, retries_max, following))[0] == twiml.Say("未确认。", "zh-CN")


def test_scripts_are_read_or_refused() -> None:
    assert read_script(json.dumps(asdict(script))) == script
    for wrong in ("", "{}", "火警", "[]", json.dumps(asdict(script) | {"say": 7})):
        assert read_script(wrong) is None
    assert standing_script("zh-CN").language is Language.ZH_CN
    for other in ("en", "tlh", None):
        assert standing_script(other).language is Language.EN


def test_a_households_call_keeps_saying_whose_it_is() -> None:
    own = standing_script("zh-CN", household=True)
    assert own.household
    assert "着火" not in standing_script("zh-CN").keys
    assert "帮助请按一" in own.keys
    urls = CallbackUrls("https://gengfu.test")
    assert "who=household" in urls.voice("A1B2", own.language, household=own.household)
    assert "who" not in urls.voice("A1B2", own.language)


def test_digits_that_no_phone_has_are_none() -> None:
    for odd in ("<script>", "1" * 9, "一", "A"):
        events = parse("voice", "A1B2", {"Digits": odd, "CallSid": "CA1"})
        assert [getattr(event, "digits", None) for event in events] == [None, ""]
    assert parse("voice", None, {"Digits": "1"}) == []


def test_a_repeated_callback_has_the_same_key_and_any_other_has_not() -> None:
    call = {"CallSid": "CA1", "CallStatus": "ringing", "SequenceNumber": "1"}
    text = {"MessageSid": "SM1", "MessageStatus": "sent"}
    pressed = {"CallSid": "CA1", "CallStatus": "in-progress", "Digits": "1"}
    different = [
        ("status", call),
        ("status", call | {"SequenceNumber": "2"}),
        ("status", call | {"CallStatus": "completed"}),
        ("status", call | {"CallSid": "CA2"}),
        ("status", text),
        ("status", text | {"MessageStatus": "delivered"}),
        ("voice", pressed),
        ("voice", pressed | {"Digits": "2"}),
        ("voice", pressed | {"Digits": "3", "again": "1"}),
        ("voice", pressed | {"Digits": "3", "again": "2"}),
        ("inbound", {"MessageSid": "SM1"}),
    ]
    keys = [callback_key(kind, form) for kind, form in different]
    assert len(set(keys)) == len(different)
    assert keys == [callback_key(kind, {**form, "Timestamp": "later"}) for kind, form in different]
    kept = {"CallSid": "CA1", "CallStatus": "in-progress", "digits": "1", "retry": "2"}
    assert callback_key("voice", kept) == callback_key("voice", pressed)
