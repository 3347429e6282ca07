"""Every message that the core decides carries its template's wording; a link goes to no +86 number; the app gets it."""

from dataclasses import replace

import msgspec
import pytest

from alerting.core import drills, ladder
from alerting.core.decisions import Notify
from alerting.core.fold import fold
from alerting.core.messages import AppMessage, render
from alerting.core.model import Overlay, Purpose, Reason
from alerting.core.templates import check_variables, filled
from alerting.core.walk_test import real_wording, real_words
from alerting.core.wording import wording
from devices.model import Channel, ContactPoint, Language
from tests.unit.builders import NOW, a_signal, a_world, an_incident
from tests.unit.test_core_drills import ORDER
from tests.unit.test_messages_places import FLAT

TOKEN = "https://gengfu.example/a/" + "_" * 22


def test_every_page_by_sms_and_voice_has_its_wording_and_the_app_none() -> None:
    made = [each for each in fold([a_signal()], a_world()) if isinstance(each, Notify)]
    made += [each for each in drills.start(ORDER, a_world()) if isinstance(each, Notify)]
    assert {each.channel for each in made} == set(Channel)
    for notice in made:
        assert (notice.wording is None) is (notice.channel is Channel.APP)
        if notice.wording is not None:
            assert not check_variables(notice.wording)
            assert notice.wording.template == {Channel.SMS: "sms_page", Channel.VOICE: "voice_page"}[notice.channel]


def test_the_words_of_an_alarm_test_have_theirs() -> None:
    device = replace(next(iter(a_world().snapshot.devices.values())), kind="smoke_detector")
    for channel in (Channel.SMS, Channel.VOICE):
        worded = real_wording(device, FLAT, channel, Language.ZH_CN, NOW, "Asia/Shanghai")
        assert worded is not None
        assert filled(worded, Language.ZH_CN).startswith("测试，火警")
        assert real_words(device, FLAT, channel, Language.ZH_CN, NOW, "Asia/Shanghai")


@pytest.mark.parametrize(("number", "linked"), [("+8613800138000", False), ("+447700900123", True)])
def test_a_link_goes_to_no_number_of_the_mainland(number: str, linked: bool) -> None:
    world = a_world()
    world = replace(world, settings=replace(world.settings, answer_link=TOKEN))
    worker = next(iter(world.snapshot.people.values()))
    points = (ContactPoint(Channel.SMS, number), ContactPoint(Channel.APP, worker.id))
    alone = replace(worker, language=Language.EN, contacts=points)
    rung = ladder.Rung(0, 1, (), (Channel.SMS, Channel.APP), None, Reason.UNANSWERED)
    texts = {notice.channel: notice.text for notice in ladder.page_people(an_incident(), world, [alone], rung, ())}
    assert (TOKEN in texts[Channel.SMS]) is linked
    assert msgspec.json.decode(texts[Channel.APP], type=AppMessage).answer_url == TOKEN


def test_who_is_only_told_gets_no_page_to_answer_on() -> None:
    world = a_world()
    context = replace(ladder.context_of(an_incident(), world), answer_url=TOKEN)
    told = render(Purpose.ALL_CLEAR, Channel.APP, Language.EN, context)
    assert msgspec.json.decode(told, type=AppMessage).answer_url == ""


def test_no_word_of_the_power_where_it_is_cut_already() -> None:
    world = a_world()
    hot = ladder.context_of(an_incident("charge.overheat"), world)
    cut = ladder.context_of(an_incident("charge.overheat", overlays=frozenset({Overlay.POWER_CUT})), world)
    assert "先断电" in render(Purpose.PAGE, Channel.APP, Language.ZH_CN, hot)
    assert "先断电" not in render(Purpose.PAGE, Channel.APP, Language.ZH_CN, cut)


def test_an_exercise_names_no_number_and_no_hand_on_the_power() -> None:
    live = replace(
        ladder.context_of(an_incident("charge.overheat"), a_world()), power_live=True, unanswered_minutes=3, drill=True
    )
    worded = wording(Purpose.DRILL, Channel.SMS, Language.ZH_CN, live)
    assert worded is not None
    assert "119" not in filled(worded, Language.ZH_CN)
