"""Every text of every hazard, place, purpose, language and channel: short enough, honest about what it can take."""

import re
from itertools import product

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerting.core.languages import PACKS, guidance, speech_seconds
from alerting.core.messages import AppMessage, CallScript, loop_s_max, place_heard_by_s
from alerting.core.model import Purpose
from alerting.core.parts import Alphabet, count, ucs2_part_units_max, ucs2_single_units_max, ucs2_units
from alerting.core.places import place_text
from alerting.core.templates import check_variables, filled
from alerting.core.wording import signature_units, told_heard_by_s, wording
from devices.model import Channel, Language
from devices.taxonomy import TAXONOMY
from tests.unit.test_messages_places import FLAT, LONG_NAMES, placed
from tests.unit.texts import NASTY, TOKEN, Made, every, from_city, from_generated, of_incident, of_summary

ZH, EN = Language.ZH_CN, Language.EN
CODES = sorted(TAXONOMY)
MARKS = {ZH: ("演练", "测试"), EN: ("DRILL", "TEST")}
ASKS = {
    "reply": ("回复1", "Reply 1", "reply 1"),
    "call": ("接听来电", "nswer the call"),
    "link": ("://",),
}
"""What a text may ask for, by the way to answer."""
MOBILE = re.compile(r"(?<![0-9A-Za-z])(?:\+?86)?1[3-9][0-9]{9}(?![0-9])")
ASKED_TO_GO = frozenset({Purpose.PAGE, Purpose.DRILL})


def faults_of(made: Made) -> list[str]:
    """What is wrong with one message, in words."""
    found = [f"calls back: {made.read}"] if re.search("回电|call back|Call back", made.read) else []
    if "！！" in made.read or "!!" in made.read:
        found.append("shouts")
    if made.wording is not None:
        found += check_variables(made.wording)
    if made.channel is Channel.SMS:
        found += _sms_faults(made)
    if made.channel is Channel.VOICE:
        found += _call_faults(made)
    return found


def _sms_faults(made: Made) -> list[str]:
    measured, alphabet = count(made.text), PACKS[made.language].script.alphabet
    found = [] if measured.parts == 1 else [f"{measured.parts} parts"]
    if alphabet is Alphabet.GSM7 and measured.alphabet is not alphabet:
        found.append("not GSM-7")
    if made.wording is not None:
        units = ucs2_units(filled(made.wording, made.language)) + signature_units
        # Two parts with a Chinese signature: English is UCS-2 there; a long place is worth the second part.
        if units > 2 * ucs2_part_units_max:
            found.append(f"{units} units with a signature")
    return found


def _call_faults(made: Made) -> list[str]:
    script = msgspec.json.decode(made.text, type=CallScript)
    seconds = speech_seconds(f"{script.say} {script.keys}", made.language)
    found = [] if seconds <= loop_s_max + 1e-9 else [f"{seconds:.1f} s"]
    if made.language is ZH and re.search("[0-9]", re.sub("新增|现有", "", made.read)) and made.purpose is Purpose.PAGE:
        found.append("digits left to the voice")
    if made.wording is not None:
        found += (
            ["a template cannot repeat"] if re.search("重听|hear it again", filled(made.wording, made.language)) else []
        )
    return found


@pytest.mark.parametrize("language", list(Language))
def test_every_text_of_every_hazard_holds(language: Language) -> None:
    """Each hazard at an ordinary place, then the longest names of hazards at all nasty places."""
    for code, placement in [*product(CODES, (FLAT,)), *product(("fire.smoke", "charge.short"), NASTY)]:
        for made in every(code, placement, language):
            assert not faults_of(made), (faults_of(made), made)


@pytest.mark.parametrize("language", list(Language))
def test_every_label_of_the_simulated_cities_fits(language: Language) -> None:
    """One Chinese part with a signature, and the whole place in it: real labels are of ordinary length."""
    places = [*from_city(), *from_generated()]
    assert len(places) > 20
    for placement, code in product(places, ("fire.smoke", "charge.overheat")):
        made = list(of_incident(code, placement, language, abilities=False, channels=(Channel.SMS,)))
        assert not any(faults_of(each) for each in made), made
        plain = made[0]
        assert plain.wording is not None
        units = ucs2_units(filled(plain.wording, language)) + signature_units
        assert units <= (ucs2_single_units_max if language is ZH else 2 * ucs2_part_units_max), plain
        assert placement.chain[-1].name in plain.text or language is EN


@settings(deadline=None)
@given(
    names=st.lists(st.text(max_size=60), min_size=1, max_size=6),
    code=st.sampled_from(CODES),
    language=st.sampled_from(list(Language)),
)
def test_whatever_a_registry_calls_its_places(names: list[str], code: str, language: Language) -> None:
    kinds = ("compound", "building", "unit", "floor", "room", "part")
    placement = placed(*((kind, name, name) for kind, name in zip(kinds, names, strict=False)))
    for made in of_incident(code, placement, language, abilities=False):
        assert not faults_of(made), (faults_of(made), made)


@pytest.mark.parametrize("language", list(Language))
def test_no_text_asks_for_what_its_reader_cannot_do(language: Language) -> None:
    """A reply only where one reaches us, an answer to a call only where one comes, a link only where it may stand."""
    for code, placement in product(CODES[::4], (FLAT, None, LONG_NAMES)):
        for made in of_incident(code, placement, language):
            context = made.context
            assert context is not None
            read = made.text if made.channel is Channel.SMS else ""
            worded = filled(made.wording, language) if made.wording and made.channel is Channel.SMS else ""
            asked = {way for way, words in ASKS.items() for word in words if word in read or word in worded}
            able = {"reply"} if context.two_way else set()
            able |= {"call"} if context.has_voice else set()
            able |= {"link"} if context.link and made.purpose in ASKED_TO_GO | {Purpose.TEST} else set()
            assert asked <= able, (asked, made)
            assert "://" not in worded, "no carrier takes a link in a variable"
            if made.channel is Channel.VOICE:
                assert "://" not in made.read


def test_who_has_an_sms_alone_is_told_what_he_can_do() -> None:
    alone = [made for made in of_incident("fire.smoke", FLAT, ZH) if made.channel is Channel.SMS]
    texts = [made for made in alone if made.purpose is Purpose.PAGE and made.context and not made.context.has_app]
    plain = next(made for made in texts if made.context and not made.context.link and not made.context.has_voice)
    assert "请立即到场" in plain.text
    assert plain.wording is not None
    assert plain.wording.variables["act"].startswith("立即到场")


def test_a_link_stands_whole_where_it_stands_and_never_costs_the_place() -> None:
    for language, placement in product(Language, NASTY):
        for made in of_incident("fire.smoke", placement, language):
            if made.channel is Channel.SMS and "://" in made.text and made.context and made.context.link:
                assert TOKEN in made.text or "example.com" in made.text, made.text
    alone = [
        made.text
        for made in of_incident("fire.smoke", FLAT, EN)
        if made.channel is Channel.SMS and made.purpose is Purpose.PAGE and made.context and made.context.link
    ]
    assert any(f"Confirm: {TOKEN}" in text and "Jinding Garden B3 U2 F12 1201 living" in text for text in alone)


@pytest.mark.parametrize("language", list(Language))
def test_drills_say_so_in_the_first_word(language: Language) -> None:
    drill, test = MARKS[language]
    for code, placement in product(CODES, (FLAT, None)):
        for made in of_incident(code, placement, language, abilities=False):
            mark = {Purpose.DRILL: drill, Purpose.TEST: test}.get(made.purpose)
            if mark is None:
                assert made.context is not None
                assert not made.read.lstrip().upper().startswith(drill)
                continue
            assert made.read.upper().startswith(mark), made
            if made.wording is not None:
                assert filled(made.wording, language).upper().startswith(mark), made.wording


@pytest.mark.parametrize("language", list(Language))
def test_an_all_clear_says_what_is_over(language: Language) -> None:
    over = {ZH: "解除", EN: "all clear"}[language]
    for code, channel in product(CODES[::3], Channel):
        ended = [
            made
            for made in of_incident(code, FLAT, language, abilities=False, channels=(channel,))
            if made.purpose is Purpose.ALL_CLEAR
        ]
        for made in ended:
            assert over in made.read.lower()
            assert made.wording is None or over in filled(made.wording, language).lower()


@pytest.mark.parametrize("language", list(Language))
def test_hazard_and_place_are_heard_within_six_seconds_of_a_templated_call(language: Language) -> None:
    for code, placement in product(("fire.smoke", "charge.short"), (*NASTY, *from_city())):
        for made in of_incident(code, placement, language, abilities=False, channels=(Channel.VOICE,)):
            if made.wording is None:
                continue
            values = made.wording.variables
            asks = made.wording.template == "voice_page"
            crowded = made.context is not None and made.context.not_recorded
            first = place_text(placement, "smoke-0123")
            deepest = PACKS[language].script.spoken(first).replace(", ", "，").split("，")[-1]
            before, found, _ = values["place"].partition(deepest)
            if asks and found and not crowded:
                early = PACKS[language].templates["voice_page"].partition("{place}")[0].format(what=values["what"])
                assert speech_seconds(early + before + found, language) <= place_heard_by_s + 0.3, made.wording
            whole = speech_seconds(filled(made.wording, language), language)
            assert whole <= loop_s_max + (0 if asks else told_heard_by_s / 2), made.wording


def test_119_is_spoken_digit_by_digit_and_never_in_an_exercise() -> None:
    for made in of_incident("fire.smoke", FLAT, ZH):
        worded = filled(made.wording, ZH) if made.wording else ""
        exercise = made.purpose in (Purpose.DRILL, Purpose.TEST)
        if made.channel is Channel.VOICE:
            assert "119" not in made.read + worded
        if exercise:
            assert not re.search("119|幺幺九", made.read + worded), made


def test_flat_numbers_are_read_digit_by_digit_in_a_templated_call() -> None:
    spoken = [made.wording for made in of_incident("fire.smoke", FLAT, ZH) if made.channel is Channel.VOICE]
    assert any(each and "十二层，幺二零幺，客厅" in each.variables["place"] for each in spoken)


def test_no_mobile_number_reaches_a_carrier() -> None:
    phoned = placed(("compound", "机主13800138000的院子", "Call 13800138000"))
    for language in Language:
        for made in every("fire.smoke", phoned, language):
            assert made.wording is None or not any(map(MOBILE.search, made.wording.variables.values())), made.wording


def test_nobody_answered_is_said_and_119_never_given_up_for_room() -> None:
    for language, placement in product(Language, NASTY):
        crowded = [made for made in of_incident("fire.smoke", placement, language) if made.purpose is Purpose.PAGE]
        for made in crowded:
            if made.context and made.context.unanswered_minutes and made.wording:
                values = " ".join(made.wording.variables.values())
                assert re.search("119|幺幺九|1 1 9", values), made.wording


@pytest.mark.parametrize("code", ["fire.smoke", "device.fault", "gas.combustible", "lane.blocked"])
def test_a_summary_keeps_its_number_and_reference(code: str) -> None:
    for language, drill in product(Language, (False, True)):
        for made in of_summary(code, LONG_NAMES, language, drill=drill):
            assert not faults_of(made), made
            if made.wording is not None:
                whole = filled(made.wording, language)
                assert re.search("12|十二", whole), whole
                assert made.channel is Channel.VOICE or "A7K2Q" in whole, whole
                assert not drill or whole.upper().startswith(MARKS[language][0])


def test_each_send_differs_by_time_and_reference() -> None:
    """Carriers drop the same content to the same number."""
    for made in of_incident("fire.smoke", FLAT, ZH):
        if made.channel is Channel.SMS and made.wording is not None:
            assert made.wording.variables["time"] == "03:12"
            assert made.wording.variables["code"] == "A7K2Q"


@pytest.mark.parametrize("language", list(Language))
def test_what_to_do_on_the_spot_is_always_in_the_app_and_after_key_one(language: Language) -> None:
    for code in CODES:
        line = guidance(TAXONOMY[code], language)
        for made in of_incident(code, FLAT, language, abilities=False, channels=(Channel.APP, Channel.VOICE)):
            if made.purpose is not Purpose.PAGE or (made.context and made.context.not_recorded):
                continue
            if made.channel is Channel.APP:
                assert line in msgspec.json.decode(made.text, type=AppMessage).body
            if made.channel is Channel.VOICE:
                assert line in msgspec.json.decode(made.text, type=CallScript).recorded


def test_every_alarm_that_can_hurt_has_a_line_for_the_spot() -> None:
    for hazard in TAXONOMY.values():
        lines = {language: guidance(hazard, language) for language in Language}
        assert bool(lines[ZH]) == bool(lines[EN])
        if hazard.severity <= 2 and hazard.cls.value == "A":
            assert lines[ZH], hazard.code
        assert len(lines[ZH]) <= 14
        assert len(lines[EN]) <= 52
    assert "电" in guidance(TAXONOMY["charge.overheat"], ZH)
    assert "勿开关电器" in guidance(TAXONOMY["gas.combustible"], ZH)


def test_the_same_message_is_worded_once() -> None:
    wording.cache_clear()
    list(of_incident("fire.smoke", FLAT, ZH))
    misses = wording.cache_info().misses
    list(of_incident("fire.smoke", FLAT, ZH))
    assert wording.cache_info().misses == misses
