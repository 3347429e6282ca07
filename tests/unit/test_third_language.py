"""A third language is one file and its row: a made-up pack renders every message, and no other language shows through.

The pack is the English one with each letter of each sentence replaced by a Greek capital, so that any sentence that
came from elsewhere shows as Latin or Chinese letters. Places, names and numbers are given in digits and signs.
"""

import dataclasses
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any, cast

import msgspec
import pytest

from alerting.channels import cards
from alerting.channels.providers import twilio_twiml
from alerting.core import languages
from alerting.core.context import Context
from alerting.core.drill_words import end_text, end_wording
from alerting.core.household_words import (
    TELLABLE,
    call,
    call_text,
    call_wording,
    result_sms,
    result_wording,
    standing_call,
)
from alerting.core.languages import PACKS
from alerting.core.languages.base import Pack, Script
from alerting.core.messages import render, slots_of
from alerting.core.model import PlaceText, Purpose
from alerting.core.places import place_text
from alerting.core.probe_words import check_call, code_sms, lack_words, push, self_test_words
from alerting.core.summary_words import (
    Digest,
    DigestLine,
    Summary,
    render_digest,
    render_summary,
    word_digest,
    word_summary,
)
from alerting.core.templates import TEMPLATES, Style, filled, registered
from alerting.core.walk_test import Lack
from alerting.core.wording import wording
from devices.model import Channel, Language
from devices.taxonomy import TAXONOMY
from tests.unit.builders import an_incident

GREEK = cast(Language, "x-greek")
AT = datetime(2026, 11, 22, 19, 12, tzinfo=UTC)
PLACE = PlaceText("7-8", "7-8 9", "7，8", "7 8, 9")
_LETTERS = str.maketrans({chr(code): "ΔΦΓΛΩΠΨΣΘΞ"[code % 10] for code in (*range(65, 91), *range(97, 123))})
_KEYS = re.compile(r"\"(?:\w+)\":|\"(?:page|update|all_clear|command|drill|test|summary|digest|accept|decline)\"")


def foreign(value: Any) -> Any:
    """The same value with every sentence in other letters; `{names}` stay."""
    if isinstance(value, str):
        return "".join(
            part if part.startswith("{") else part.translate(_LETTERS) for part in re.split(r"(\{\w+\})", value)
        )
    if isinstance(value, Script):
        return replace(value, plain=lambda text: " ".join(text.split()), sentence=lambda text: text)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{each.name: foreign(getattr(value, each.name)) for each in dataclasses.fields(value)})
    if isinstance(value, tuple):
        return tuple(foreign(each) for each in value)
    if isinstance(value, Mapping):
        return {key: foreign(each) for key, each in value.items()}
    return value


@pytest.fixture(autouse=True)
def pack(monkeypatch: pytest.MonkeyPatch) -> Iterator[Pack]:
    """Its row in the table; nothing else anywhere."""
    made = cast(Pack, foreign(PACKS[Language.EN]))
    monkeypatch.setitem(PACKS, GREEK, made)
    yield made
    render.cache_clear()
    slots_of.cache_clear()
    wording.cache_clear()


def assert_foreign(text: str) -> None:
    """Only its own letters: no Latin, no Chinese."""
    left = re.findall(r"[A-Za-z一-鿿]+", text.replace("\\n", " "))
    assert not left, (left, text)


def said(text: str) -> str:
    """The sentences of a call or an app message, without the names of its fields."""
    content = msgspec.json.decode(text)
    names = ("say", "keys", "recorded", "declined", "missed", "wait", "title", "body", "place")
    return " ".join(content.get(name, "") for name in names)


def context(code: str, **facts: Any) -> Context:
    crowded: dict[str, Any] = {
        "spreading": True,
        "confirmed": True,
        "household_confirms": True,
        "late": True,
        "not_recorded": True,
    }
    return Context(
        TAXONOMY[code], PLACE, AT, reference="4711", **(crowded if facts.pop("crowded", False) else {}), **facts
    )


@pytest.mark.parametrize("channel", list(Channel))
def test_every_purpose_speaks_it_on_every_channel(channel: Channel) -> None:
    crowded = {"crowded": True, "power_live": True}
    able: tuple[dict[str, Any], ...] = ({"has_voice": True}, {"two_way": True}, {"has_app": True}, {}, crowded)
    codes = ("fire.smoke", "gas.co", "charge.overheat", "lane.blocked", "device.fault")
    purposes = [
        each for each in Purpose if each not in (Purpose.HOUSEHOLD, Purpose.RESULT, Purpose.SUMMARY, Purpose.DIGEST)
    ]
    for code, facts, purpose in product(codes, able, purposes):
        told = context(code, unanswered_minutes=2, power_cut=True, still_charging=True, **facts)
        text = render(purpose, channel, GREEK, told)
        assert_foreign(text if channel is Channel.SMS else said(text))
        worded = wording(purpose, channel, GREEK, told)
        assert (worded is None) is (channel is Channel.APP)
        if worded is not None:
            assert_foreign(filled(worded, GREEK))


@pytest.mark.parametrize("channel", list(Channel))
def test_summaries_digests_and_ends_of_drills_speak_it(channel: Channel) -> None:
    summary = Summary("fire.smoke", 1, PLACE, 2, 34, (("fire.smoke", 3),), (PLACE,), "4711", "1", AT, two_way=True)
    text = render_summary(summary, channel, GREEK)
    assert_foreign(text if channel is Channel.SMS else said(text))
    incident = an_incident(place_text=PLACE, reference="4711")
    for real in (False, True):
        ended = end_text(incident, channel, GREEK, "Asia/Shanghai", real=real)
        assert_foreign(ended if channel is Channel.SMS else said(ended))
        worded = end_wording(incident, channel, GREEK, "Asia/Shanghai", real=real)
        assert_foreign("" if worded is None else filled(worded, GREEK))
    worded = word_summary(summary, channel, GREEK)
    assert_foreign("" if worded is None else filled(worded, GREEK))
    if channel is not Channel.VOICE:
        line = DigestLine("device.fault", PLACE, AT - timedelta(hours=60), "1")
        digest = Digest("", "", 34, (("device.fault", 34),), (line,), AT - timedelta(hours=2), AT, "1")
        listed = render_digest(digest, channel, GREEK)
        assert_foreign(listed if channel is Channel.SMS else said(listed))
        worded = word_digest(digest, channel, GREEK)
        assert_foreign("" if worded is None else filled(worded, GREEK))


def test_households_and_contacts_hear_it() -> None:
    for code in ("fire.smoke", "gas.co", "water.leak"):
        hazard = TAXONOMY[code]
        assert_foreign(said(call_text(call(hazard, PLACE, GREEK, "119"))))
        assert_foreign(filled(call_wording(hazard, PLACE, GREEK), GREEK))
        for result in TELLABLE:
            assert_foreign(result_sms(result, hazard, PLACE, "03:12", GREEK, reply=True))
            ended = result_wording(result, hazard, PLACE, AT, "Asia/Shanghai", GREEK, reply=True)
            assert_foreign(filled(ended, GREEK))
    assert_foreign(said(call_text(standing_call(GREEK))))
    assert_foreign(code_sms(GREEK, "004711"))
    assert_foreign(said(check_call(GREEK)))
    assert_foreign(" ".join((*push(GREEK), *self_test_words(GREEK), *(lack_words(lack, GREEK) for lack in Lack))))


def test_who_has_no_place_hears_so_in_it() -> None:
    nowhere = place_text(None, "0123")
    told = replace(context("fire.smoke"), place=nowhere)
    for channel in Channel:
        text = render(Purpose.PAGE, channel, GREEK, told)
        assert_foreign(text if channel is Channel.SMS else said(text))


def test_its_templates_are_registered_beside_the_others(pack: Pack) -> None:
    for name, style in product(TEMPLATES, Style):
        assert_foreign(re.sub(r"\$?\{\w+\}", "", registered(name, GREEK, style)))


def test_a_call_whose_words_cannot_be_had_speaks_it_too() -> None:
    script = twilio_twiml.standing_script("x-greek")
    assert script.language == GREEK
    assert_foreign(f"{script.say} {script.keys} {script.recorded} {script.declined} {script.missed}")


def test_a_pack_with_a_sentence_missing_cannot_be_made(pack: Pack) -> None:
    """No field has a default: nothing can fall back to another language in silence."""
    for kind in (Pack, *(type(getattr(pack, each.name)) for each in dataclasses.fields(pack))):
        if not dataclasses.is_dataclass(kind):
            continue
        for each in dataclasses.fields(kind):
            assert each.default is dataclasses.MISSING
            assert each.default_factory is dataclasses.MISSING


def test_every_pack_knows_every_hazard_and_template() -> None:
    for language, known in languages.PACKS.items():
        assert set(known.labels) == set(TAXONOMY), language
        assert set(known.templates) == set(TEMPLATES), language
        assert set(known.household.said) == TELLABLE
        assert set(known.probing.lacks) == {lack.value for lack in Lack}
        assert set(known.guidance) == set(PACKS[Language.ZH_CN].guidance)


def test_a_member_of_language_without_its_words_fails_here_and_not_at_an_alarm() -> None:
    """The buttons of the work apps have their own few words: they need a row as well."""
    assert set(PACKS) - {GREEK} == set(Language)
    assert set(cards.WORDS) == set(Language)
