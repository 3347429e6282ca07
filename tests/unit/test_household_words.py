"""What a household hears and reads: within 20 seconds, one part, never a worker's words or another flat."""

import msgspec
import pytest

from alerting.core.household_words import RELATIONS, TELLABLE, call, call_s_max, call_text, result_sms, standing_call
from alerting.core.languages import speech_seconds
from alerting.core.messages import CallScript
from alerting.core.model import PlaceText
from alerting.core.parts import is_gsm7, one_part
from devices.model import Language, Relation
from devices.taxonomy import TAXONOMY, SignalClass

ZH, EN = Language.ZH_CN, Language.EN
ALARMS = sorted(code for code, hazard in TAXONOMY.items() if hazard.cls is SignalClass.A)
LONG = PlaceText(
    zh="信阳市浉河区金牛山街道金鼎国际花园二期东区18栋2单元28层2801次卧",
    en="Jinding International Garden Phase 2 East B18 U2 F28 2801 second bedroom",
    spoken_zh="金鼎国际花园二期东区，十八栋，二单元，二十八层，二八零幺，次卧",
    spoken_en="Jinding International Garden Phase 2 East, building 18, unit 2, floor 28, room 2 8 0 1, second bedroom",
)


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("code", ALARMS)
def test_one_round_of_the_call_takes_20_seconds_at_most(code: str, language: Language) -> None:
    script = call(TAXONOMY[code], LONG, language, "119")
    assert speech_seconds(f"{script.say} {script.keys}", language) <= call_s_max


@pytest.mark.parametrize("code", ALARMS)
def test_the_flat_is_still_named_in_a_long_place(code: str) -> None:
    assert "次卧" in call(TAXONOMY[code], LONG, ZH, "119").say
    assert "bedroom" in call(TAXONOMY[code], LONG, EN, "119").say


def test_it_says_who_calls_what_to_do_and_the_two_keys() -> None:
    script = call(TAXONOMY["fire.smoke"], LONG, EN, "119")
    for word in ("Community fire watch", "smoke", "leave now", "1 1 9"):
        assert word in script.say
    assert script.keys == "Press one for fire or help, two for no fire, three to hear it again."
    assert "Somebody will still come" in script.declined
    assert "people on duty are told" in script.recorded


def test_gas_is_not_asked_about_flames_and_touches_no_switch() -> None:
    script = call(TAXONOMY["gas.combustible"], LONG, ZH, "119")
    assert "请勿开关电器" in script.say
    assert "没有异常请按二" in script.keys


@pytest.mark.parametrize("language", list(Language))
def test_with_a_slow_store_it_hears_its_own_keys_not_a_workers(language: Language) -> None:
    script = standing_call(language)
    assert script.household
    assert "出发" not in script.keys
    assert "going" not in script.keys
    assert msgspec.json.decode(call_text(script), type=CallScript) == script


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("code", ["fire.smoke", "gas.combustible", "elevator.trapped"])
@pytest.mark.parametrize("result", sorted(TELLABLE))
@pytest.mark.parametrize("question", ["link", "reply", "none"])
def test_a_result_is_one_part(result: str, code: str, language: Language, question: str) -> None:
    link = "https://gengfu.example.cn/a/abcdefghij012345" if question == "link" else ""
    text = result_sms(result, TAXONOMY[code], LONG, "03:12", language, link=link, reply=question == "reply")
    assert one_part(text)
    assert language is ZH or is_gsm7(text)
    assert (link in text) if link else ("http" not in text)
    assert ("1" in text.split("：")[-1]) if question == "reply" and language is ZH else True


def test_a_link_too_long_for_one_part_is_left_out() -> None:
    link = "https://a-very-long-name-of-a-deployment.example.com.cn/some/prefix/a/abcdefghij012345"
    text = result_sms("false_alarm", TAXONOMY["fire.smoke"], LONG, "03:12", ZH, link=link)
    assert one_part(text)
    assert "http" not in text
    assert "误报" in text
    assert "满意" not in text


def test_every_relation_has_its_word_and_none_a_name() -> None:
    assert set(RELATIONS) == set(Relation)
    assert all(word.startswith("住户") for word in RELATIONS.values())
