"""A third language is one file and its row: a made-up pack renders every message, card, page and line of a chat, and no
other language shows through.

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
from zoneinfo import ZoneInfo

import msgspec
import pytest
from fastapi import Request, Response

from alerting.channels import buttons, cards
from alerting.channels.base import Submission
from alerting.channels.providers import dingtalk_app, feishu_cards, twilio_twiml, wecom_cards
from alerting.channels.providers.feishu_settings import FeishuSettings
from alerting.channels.providers.wecom_settings import WecomSettings
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
from alerting.core.languages import PACKS, known_as
from alerting.core.languages.base import Pack, Script
from alerting.core.languages.surfaces import PhoneGuide
from alerting.core.messages import render, slots_of
from alerting.core.model import PlaceText, Purpose, Work
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
from alerting.link_answers import Choice, Sheet, Standing, Told
from alerting.store.answer_pages import Asked
from alerting.store.news import News
from api.contact_card import ContactCard, vcard
from api.errors import language_of
from api.phone_guides import steps_of
from api.rating_page import gone_page, rating_page
from api.worker_page import worker_page
from devices.model import Channel, Language
from devices.taxonomy import TAXONOMY
from gengfu.also_tell import said as told_to_lists
from gengfu.settings_also_tell import EVENTS
from gengfu.watchdog.judging import Cause, Kind, Message
from gengfu.watchdog.words import speech_of, text_of
from tests.unit.builders import an_incident

GREEK = cast(Language, "x-greek")
AT = datetime(2026, 11, 22, 19, 12, tzinfo=UTC)
PLACE = PlaceText("7-8", "7-8 9", "7，8", "7 8, 9")
_LETTERS = str.maketrans({chr(code): "ΔΦΓΛΩΠΨΣΘΞ"[code % 10] for code in (*range(65, 91), *range(97, 123))})
_NOTICE = {"title", "text", "actionTitle1", "actionTitle2", "singleTitle"}
_SHOWN = _NOTICE | {"content", "desc", "keyname", "value", "sub_title_text"}
"""The fields of the three work apps' messages that a person reads."""
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


def submission(purpose: str = "page") -> Submission:
    return Submission("0", "1", "2", "3", Channel.APP, "", GREEK, "{}", 0, AT, purpose)


def shown(value: Any, key: str = "") -> list[str]:
    """What a person reads of a work app's message."""
    if isinstance(value, str):
        return [value] if key in _SHOWN else []
    if isinstance(value, Mapping):
        return [text for name, each in value.items() for text in shown(each, name)]
    return [text for each in value for text in shown(each, key)] if isinstance(value, list) else []


@pytest.mark.parametrize("hears", [True, False])
@pytest.mark.parametrize("asks", [True, False])
def test_cards_of_the_work_apps_speak_it(pack: Pack, hears: bool, asks: bool) -> None:
    """Whether we hear their buttons or not, whether somebody is asked or told."""
    actions, page = (("accept", "decline"), "https://0/5") if asks else ((), "")
    text = cards.AppText("1", "2", "3", "2026-03-04T05:06:07+08:00", "4711", "https://0/4", page, 1, "page", actions)
    wecom = WecomSettings("1", 2, "3", *(("4", "5" * 43) if hears else (None, None)))
    feishu = FeishuSettings("1", "2", "3" if hears else None)
    made = (
        wecom_cards.message(submission(), text, "7", wecom),
        feishu_cards.card(submission(), text, "7", feishu),
        dingtalk_app.message(text, cards.words_of(GREEK))[1],
    )
    for each in made:
        read = " ".join(shown(each))
        assert_foreign(read)
        for word in (pack.cards.place, pack.cards.time, pack.cards.reference, pack.cards.map):
            assert word in read
    going = [pack.cards.going in shown(each) for each in made]
    answer = [pack.cards.answer in shown(each) for each in made]
    assert going == [asks and hears, asks and hears, False], "DingTalk's messages have no buttons that we hear"
    assert answer == [asks and not hears, asks and not hears, asks]


def test_a_pressed_button_answers_in_it() -> None:
    for digit in (buttons.GOING, buttons.CANNOT, buttons.REPEAT):
        pressed = buttons.opened("secret", buttons.key("secret", "0", "7", digit, GREEK), "7")
        assert pressed is not None
        assert_foreign(cards.words_of(pressed.language).heard[pressed.digit])


def read_page(response: Response) -> str:
    html = bytes(response.body).decode()
    assert html.startswith("<!doctype html><html lang=x-greek>")
    return re.sub(r"<!doctype html>|<style>.*?</style>|<[^>]*>", " ", html)


@pytest.mark.parametrize("drill", [True, False])
def test_the_answer_pages_speak_it(drill: bool) -> None:
    place = replace(PLACE, lat=32.1, lon=114.0)
    asked = Asked(
        "0", "1", "2", "3", Purpose.PAGE, GREEK, AT, "fire.smoke", "4711", place, AT, Work.NEW, None, "", drill
    )
    for standing, told, choose in product(Standing, (None, *Told), (True, False)):
        sheet = Sheet(replace(asked, who_goes="12"), standing, told)
        assert_foreign(read_page(worker_page(sheet, "Asia/Shanghai", Language.ZH_CN, choose=choose)))
    for answered, thanked in product((None, True, False), (True, False)):
        assert_foreign(read_page(rating_page(GREEK, answered, thanked=thanked)))
    assert_foreign(read_page(gone_page(GREEK)))


def test_also_tell_lists_read_it() -> None:
    nowhere = place_text(None, "0123")
    for event, who, drill, place in product(EVENTS, ("", "12"), (True, False), (PLACE, nowhere)):
        told = News(1, AT, "", who, "4711", "fire.smoke", {"zh": place.zh, "en": place.en}, drill)
        assert_foreign(told_to_lists(told, event, GREEK, ZoneInfo("Asia/Shanghai")))


def test_the_contact_card_and_the_guides_speak_it(pack: Pack) -> None:
    lines = dict(line.split(":", 1) for line in vcard(ContactCard(("10",)), GREEK).split("\r\n") if line)
    assert lines["FN"] == pack.contact.name
    assert lines["NOTE"] == pack.contact.note
    assert_foreign(lines["FN"] + lines["NOTE"] + pack.guides.note)
    for brand, own in pack.guides.brands.items():
        assert_foreign(" ".join((own.name, *steps_of(pack.guides, brand))))


@pytest.mark.parametrize(("kind", "cause"), list(product(Kind, Cause)))
def test_the_watchdog_speaks_it(kind: Kind, cause: Cause) -> None:
    message = Message(kind, ("1",), True, cause, ("broker", "database"), AT)
    assert_foreign(text_of(message, GREEK, "4711", ZoneInfo("Asia/Shanghai")) + speech_of(message, GREEK))


def test_a_browser_that_wants_it_gets_it() -> None:
    def wanted(accept: str) -> Language:
        return language_of(Request({"type": "http", "headers": [(b"accept-language", accept.encode())]}))

    assert wanted("x-Greek, en;q=0.5") == GREEK
    assert (wanted("en-GB, zh;q=0.1"), wanted("ZH-hans"), wanted("fr, *;q=0.1")) == ("en", "zh-CN", "zh-CN")
    assert (known_as("x-greek"), known_as("nobody's"), known_as(None)) == (GREEK, Language.EN, Language.EN)


def test_a_pack_with_a_sentence_missing_cannot_be_made(pack: Pack) -> None:
    """No field has a default: nothing can fall back to another language in silence."""
    for kind in (Pack, *(type(getattr(pack, each.name)) for each in dataclasses.fields(pack))):
        if not dataclasses.is_dataclass(kind):
            continue
        for each in dataclasses.fields(kind):
            assert each.default is dataclasses.MISSING
            assert each.default_factory is dataclasses.MISSING
    assert {each.default for each in dataclasses.fields(PhoneGuide)} == {dataclasses.MISSING}


def test_every_pack_knows_every_hazard_and_template() -> None:
    for language, known in languages.PACKS.items():
        assert set(known.labels) == set(TAXONOMY), language
        assert set(known.templates) == set(TEMPLATES), language
        assert set(known.household.said) == TELLABLE
        assert set(known.probing.lacks) == {lack.value for lack in Lack}
        assert set(known.guidance) == set(PACKS[Language.ZH_CN].guidance)
        assert set(known.cards.heard) == {buttons.GOING, buttons.CANNOT, buttons.REPEAT}
        assert set(known.worker_page.choices) == set(Choice)
        assert set(known.worker_page.standings) == set(Standing)
        assert set(known.worker_page.told) == set(Told) - {Told.GOING}
        assert set(known.watching.causes) == set(Cause)
        assert set(known.watching.texts) == set(Kind)
        assert set(known.watching.spoken) == set(Kind) - {Kind.WELL}
        assert set(known.watching.parts) == set(PACKS[Language.ZH_CN].watching.parts)
        assert list(known.guides.brands) == list(PACKS[Language.ZH_CN].guides.brands)


def test_what_is_filled_in_has_the_same_names_in_every_pack() -> None:
    """A name that nobody fills in would be an error when somebody looks."""
    sections = ("cards", "worker_page", "rating_page", "chat", "contact", "guides", "watching")
    for language, section in product(Language, sections):
        own, ours = (getattr(PACKS[each], section) for each in (language, Language.ZH_CN))
        names = [[set(re.findall(r"\{\w*\}", text)) for text in sentences(each)] for each in (own, ours)]
        assert names[0] == names[1], (language, section)


def sentences(value: Any) -> Iterator[str]:
    """Every sentence of a section, in the order of its fields and keys."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key in sorted(value):
            yield from sentences(value[key])
    else:
        for each in dataclasses.fields(value):
            yield from sentences(getattr(value, each.name))


def test_a_member_of_language_without_its_words_fails_here_and_not_at_an_alarm() -> None:
    assert set(PACKS) - {GREEK} == set(Language)
