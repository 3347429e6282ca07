"""Words of messages that belong to no incident: one SMS part, keys that the call takes, both languages equal."""

import msgspec
import pytest

from alerting.core.messages import CallScript
from alerting.core.parts import gsm7_single_units_max, gsm7_units, to_gsm7, ucs2_single_units_max, ucs2_units
from alerting.core.probe_words import check_call, code_sms, lack_words, push
from alerting.core.walk_test import Lack
from devices.model import Language


def test_the_code_fits_one_part_in_both_languages() -> None:
    assert ucs2_units(code_sms(Language.ZH_CN, "123456")) <= ucs2_single_units_max
    english = code_sms(Language.EN, "123456")
    assert english == to_gsm7(english)
    assert gsm7_units(english) <= gsm7_single_units_max


@pytest.mark.parametrize("language", list(Language))
def test_the_code_and_its_time_stand_in_the_text(language: Language) -> None:
    text = code_sms(language, "004711")
    assert "004711" in text
    assert "10" in text


@pytest.mark.parametrize(
    ("language", "keys", "calm"),
    [(Language.ZH_CN, ("按一", "按二", "按三"), "没有发生警情"), (Language.EN, ("one", "two", "three"), "no alarm")],
)
def test_the_call_offers_the_keys_it_takes_and_frightens_nobody(
    language: Language, keys: tuple[str, ...], calm: str
) -> None:
    script = msgspec.json.decode(check_call(language), type=CallScript)
    assert script.language is language
    assert all(key in script.keys for key in keys)
    assert calm in script.say
    assert calm in " ".join(push(language))
    assert all((script.recorded, script.declined, script.missed, script.wait))


def test_every_lack_has_its_words() -> None:
    assert all(lack_words(lack, language) for lack in Lack for language in Language)
    assert all(lack_words(lack, Language.EN).isascii() for lack in Lack)
