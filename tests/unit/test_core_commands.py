"""Interlocks in the core: which devices a policy commands, when it commands none, and who hears that it failed."""

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from alerting.core import ladder
from alerting.core.commands import RANK, Actuator, CommandState, Wish, cut_off_failed, decide, steps_from, wishes
from alerting.core.decisions import AddOverlay, AttachSignal, DropOverlay, HoldAlarm, SendCommand
from alerting.core.fold import fold
from alerting.core.messages import render
from alerting.core.model import (
    Action,
    AttemptState,
    Incident,
    Match,
    Overlay,
    Policy,
    PolicyCommand,
    Purpose,
    Reason,
    Work,
)
from alerting.core.parts import gsm7_single_units_max, gsm7_units, ucs2_single_units_max, ucs2_units
from alerting.core.world import World
from devices.model import Channel, Language, PersonKind, Role
from tests.unit.builders import (
    ALL,
    DEPUTY,
    DEVICES,
    GRID_WORKER,
    a_device,
    a_page,
    a_policy,
    a_registry,
    a_signal,
    a_step,
    a_world,
    an_incident,
    at,
    marked,
    on_all,
    pages_to,
    taken_by,
    who,
)

CUT = PolicyCommand(Action.CUT_POWER)
SIREN = PolicyCommand(Action.SOUND_SIREN)


def policy(*commands: PolicyCommand, code: str = "") -> Policy:
    match = Match(codes=(code,) if code else ())
    return replace(a_policy(a_step(0, Role.GRID_WORKER, channels=ALL), match=match), commands=commands)


def asked(*signals: Any, world: World) -> list[Wish]:
    return wishes(fold(signals, world), signals, world)


def a_wish(command: PolicyCommand = CUT, **changes: Any) -> Wish:
    return replace(Wish(command, "i-1", "i-1", "shed-2", "shed", ("street", "shed"), in_test=False), **changes)


def could(device_id: str, action: Action = Action.CUT_POWER, *, permitted: bool = True) -> Actuator:
    return Actuator(device_id, action, permitted)


def sent(made: list[SendCommand]) -> list[tuple[str, Reason | None]]:
    return [(each.device_id, each.refused) for each in made]


# ---- when ----------------------------------------


def test_a_policy_without_commands_asks_for_nothing() -> None:
    assert asked(a_signal("shed-2", "charge.overheat"), world=a_world(policies=[policy()])) == []


def test_an_incident_that_opens_asks_for_what_its_policy_names() -> None:
    (wish,) = asked(a_signal("shed-2", "charge.overheat"), world=a_world(policies=[policy(CUT)]))
    assert (wish.command, wish.device_id, wish.place_id, wish.in_test) == (CUT, "shed-2", "shed", False)
    assert wish.incident_id == wish.key == "i-shed-2-charge.overheat"
    assert wish.building == ("street", "community", "compound", "shed"), "no building: the nearest place"


def test_the_building_of_a_flat_is_where_its_sirens_stand() -> None:
    (wish,) = asked(a_signal(), world=a_world(policies=[policy(SIREN)]))
    assert (wish.place_id, wish.building[-1]) == ("r1201", "b3")


def test_a_repeat_asks_for_nothing_and_what_spreads_asks_again() -> None:
    known = replace(an_incident(), policy=policy(CUT))
    repeat = AttachSignal("i-1", "smoke-1201", "fire.smoke", known.extent, Reason.REPEAT)
    spreads = AttachSignal("i-1", "smoke-1301", "fire.smoke", known.extent, Reason.SPREADING)
    world = a_world(incidents=[known])
    assert wishes([repeat], [], world) == []
    (wish,) = wishes([repeat, spreads], [], world)
    assert (wish.device_id, wish.place_id, wish.incident_id) == ("smoke-1301", "r1301", "i-1")


def test_an_incident_keeps_the_commands_it_was_opened_with() -> None:
    known = replace(an_incident(), policy=policy())
    spreads = AttachSignal("i-1", "smoke-1301", "fire.smoke", known.extent, Reason.SPREADING)
    assert wishes([spreads], [], a_world(incidents=[known], policies=[policy(CUT)])) == []


# ---- never in a test unless asked ----------------------------------------


@pytest.mark.parametrize("overlay", [Overlay.TEST, Overlay.DRILL])
def test_a_test_or_drill_sends_nothing_unless_its_policy_asks(overlay: Overlay) -> None:
    wanted = PolicyCommand(Action.SOUND_SIREN, in_test=True)
    known = marked(replace(an_incident(), policy=policy(CUT, wanted)), overlay)
    spreads = AttachSignal("i-1", "smoke-1301", "fire.smoke", known.extent, Reason.SPREADING)
    plain, explicit = wishes([spreads], [], a_world(incidents=[known]))
    assert sent(decide(plain, [could("smoke-1301")])) == [("smoke-1301", Reason.TEST_MODE)]
    assert sent(decide(explicit, [could("siren-1", Action.SOUND_SIREN)])) == [("siren-1", None)]


def test_a_test_mark_outside_test_mode_sends_nothing() -> None:
    (wish,) = asked(a_signal("shed-2", "charge.overheat", test=True), world=a_world(policies=[policy(CUT)]))
    assert wish.in_test


def test_an_alarm_held_in_test_mode_sends_only_what_is_asked_for() -> None:
    devices = [a_device("shed-2", "shed", test_mode_until=at(600)), *(d for d in DEVICES if d.id != "shed-2")]
    registry = a_registry(devices=devices)
    signal = a_signal("shed-2", "charge.overheat")
    quiet = a_world(registry, policies=[policy(CUT)])
    made = fold([signal], quiet)
    assert any(isinstance(each, HoldAlarm) for each in made)
    assert wishes(made, [signal], quiet) == []
    (wish,) = asked(signal, world=a_world(registry, policies=[policy(replace(CUT, in_test=True))]))
    assert (wish.incident_id, wish.in_test) == (None, True)
    assert sent(decide(wish, [could("shed-2")])) == [("shed-2", None)]


def test_where_the_doubt_ends_the_power_is_cut() -> None:
    """It was marked a test, so the cut-off was refused; now a device speaks that nobody tests."""
    known = marked(replace(an_incident(), policy=policy(CUT)), Overlay.TEST)
    real = AttachSignal("i-1", "smoke-1301", "fire.smoke", known.extent, Reason.SPREADING)
    ends = DropOverlay("i-1", Overlay.TEST, Reason.SPREADING)
    (wish,) = wishes([real, ends], [], a_world(incidents=[known]))
    (refused,) = decide(replace(wish, in_test=True), [could("smoke-1301")])
    (command,) = decide(wish, [could("smoke-1301")])
    assert command.refused is None
    assert command.key != refused.key, "a refusal must not stand in the way of the command"


# ---- to whom ----------------------------------------


def test_the_power_is_cut_by_who_spoke_and_by_what_stands_there_and_may() -> None:
    beside = [could("shed-1"), could("shed-2"), could("shed-3", permitted=False)]
    assert sent(decide(a_wish(), beside)) == [("shed-1", None), ("shed-2", None)]


def test_who_spoke_without_permission_is_refused() -> None:
    assert sent(decide(a_wish(), [could("shed-2", permitted=False)])) == [("shed-2", Reason.NOT_PERMITTED)]


def test_where_nobody_declared_it_one_refusal_says_so() -> None:
    assert sent(decide(a_wish(), [could("shed-2", Action.SOUND_SIREN)])) == [("shed-2", Reason.NOT_DECLARED)]


def test_where_nobody_may_one_refusal_says_so() -> None:
    detector = a_wish(device_id="smoke-1")
    assert sent(decide(detector, [could("shed-2", permitted=False)])) == [("smoke-1", Reason.NOT_PERMITTED)]


def test_every_siren_of_the_building_sounds_and_one_without_permission_is_refused() -> None:
    sirens = [could("siren-1", Action.SOUND_SIREN), could("siren-2", Action.SOUND_SIREN, permitted=False)]
    assert sent(decide(a_wish(SIREN), sirens)) == [("siren-1", None), ("siren-2", Reason.NOT_PERMITTED)]


def test_one_command_of_a_device_and_incident_has_one_key() -> None:
    (first,) = decide(a_wish(), [could("shed-2")])
    (again,) = decide(a_wish(), [could("shed-2")])
    (other,) = decide(a_wish(key="i-2"), [could("shed-2")])
    assert first.key == again.key != other.key


def test_the_first_final_state_stays() -> None:
    final = {CommandState.DONE, CommandState.FAILED, CommandState.EXPIRED, CommandState.REFUSED}
    assert RANK[CommandState.PLANNED] < RANK[CommandState.SENT] < min(RANK[state] for state in final)
    assert len({RANK[state] for state in final}) == 1


# ---- a failed cut-off ----------------------------------------


def failed(incident: Incident, *, paged: Any = (), number: int = 0) -> list[Any]:
    return cut_off_failed(incident, "shed-2", paged, a_world(), number)


def test_a_failed_cut_off_is_told_to_whoever_was_paged_and_to_whoever_goes() -> None:
    incident = taken_by(DEPUTY, replace(an_incident("charge.overheat", "shed-2"), policy=policy(CUT)))
    made = failed(incident, paged=pages_to(GRID_WORKER))
    assert who(made, Purpose.COMMAND) == on_all(DEPUTY, GRID_WORKER)
    for notice in made[1:]:
        assert notice.reason is Reason.COMMAND_FAILED
        assert notice.urgency == ladder.urgency_of(incident)
    assert made[0] == AddOverlay("i-1", Overlay.CUT_FAILED, Reason.COMMAND_FAILED, "shed-2")


def test_it_goes_over_the_channels_of_the_policy_only() -> None:
    quiet = replace(policy(CUT), steps=(a_step(0, Role.GRID_WORKER),))
    made = failed(replace(an_incident(), policy=quiet), paged=pages_to(GRID_WORKER))
    assert who(made, Purpose.COMMAND) == [(GRID_WORKER.id, Channel.SMS.value)]


def test_a_household_is_not_asked_to_go_to_a_switch() -> None:
    home = replace(GRID_WORKER, id="home-1", kind=PersonKind.HOUSEHOLD)
    world = a_world(a_registry(people=[home, DEPUTY]))
    incident = replace(an_incident(), policy=policy(CUT))
    made = cut_off_failed(incident, "shed-2", [*pages_to(home), *pages_to(DEPUTY)], world, 0)
    assert who(made, Purpose.COMMAND) == on_all(DEPUTY)


def test_two_failures_of_one_incident_are_two_messages() -> None:
    """The store keeps one message of a step, person, channel and purpose."""
    incident = replace(an_incident(), policy=policy(CUT))
    steps = [
        {notice.step for notice in failed(incident, paged=pages_to(GRID_WORKER), number=number)[1:]}
        for number in range(2)
    ]
    assert steps == [{steps_from}, {steps_from + 1}]


def test_who_was_never_reached_hears_nothing_and_a_closed_incident_tells_nobody() -> None:
    incident = replace(an_incident(), policy=policy(CUT))
    planned = a_page(GRID_WORKER, state=AttemptState.PLANNED)
    assert who(failed(incident, paged=[planned]), Purpose.COMMAND) == []
    closed = replace(incident, work=Work.CLOSED)
    assert who(failed(closed, paged=pages_to(GRID_WORKER)), Purpose.COMMAND) == []


def test_in_an_exercise_whoever_was_asked_hears_of_it_marked() -> None:
    drill = marked(replace(an_incident(), policy=policy(CUT)), Overlay.DRILL)
    made = failed(drill, paged=[a_page(GRID_WORKER, purpose=Purpose.DRILL)])
    assert who(made, Purpose.COMMAND) == on_all(GRID_WORKER)
    assert all("演练" in notice.text for notice in made[1:])


# ---- words ----------------------------------------


def words(incident: Incident, language: Language, purpose: Purpose, channel: Channel = Channel.SMS) -> str:
    context = replace(ladder.context_of(incident, a_world()), answered=incident.answered, who_goes="网格员甲")
    return render(purpose, channel, language, context)


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("code", ["fire.smoke", "charge.overheat", "charge.smoke"])
def test_the_text_of_a_failed_cut_off_is_one_part_and_says_what_to_do(code: str, language: Language) -> None:
    text = words(an_incident(code, "shed-2"), language, Purpose.COMMAND)
    said = {Language.ZH_CN: "断电未成功，请到场手动断电", Language.EN: "Power NOT cut: cut it by hand"}[language]
    assert said in text
    assert "K7F3P" in text
    if language is Language.ZH_CN:
        assert ucs2_units(text) <= ucs2_single_units_max
        assert "2号充电棚" in text
    else:
        assert gsm7_units(text) <= gsm7_single_units_max
        assert "shed 2" in text


def test_nobody_else_is_asked_to_go_once_somebody_goes() -> None:
    incident = an_incident("charge.overheat", "shed-2")
    call = msgspec.json.decode(words(incident, Language.ZH_CN, Purpose.COMMAND, Channel.VOICE))
    assert "断电未成功" in call["say"]
    assert "确认出发请按一" in call["keys"]
    assert "再次呼叫" not in call["missed"]
    goes = taken_by(GRID_WORKER, incident)
    call = msgspec.json.decode(words(goes, Language.ZH_CN, Purpose.COMMAND, Channel.VOICE))
    assert "确认出发" not in call["keys"]
    assert "无需前往" not in call["recorded"], "whoever goes must go on"
    app = msgspec.json.decode(words(goes, Language.EN, Purpose.COMMAND, Channel.APP))
    assert (app["actions"], "Power NOT cut: cut it by hand" in app["body"]) == ([], True)


@pytest.mark.parametrize("purpose", [Purpose.PAGE, Purpose.UPDATE])
def test_later_texts_say_that_the_power_is_cut_where_there_is_room(purpose: Purpose) -> None:
    incident = marked(an_incident("charge.overheat", "shed-2"), Overlay.POWER_CUT)
    assert "已远程断电" in words(incident, Language.ZH_CN, purpose)
    assert "Power cut remotely" in words(incident, Language.EN, purpose)
    long = replace(incident.place_text, zh="信阳市浉河区金牛山街道金鼎花园" * 3)
    crowded = words(replace(incident, place_text=long), Language.ZH_CN, purpose)
    assert ucs2_units(crowded) <= ucs2_single_units_max
    assert "已远程断电" not in crowded, "the first to go"
    assert "K7F3P" in crowded


def test_what_failed_is_not_called_cut() -> None:
    incident = marked(an_incident("charge.overheat", "shed-2"), Overlay.POWER_CUT, Overlay.CUT_FAILED)
    text = words(incident, Language.ZH_CN, Purpose.PAGE)
    assert "断电未成功，请手动断电" in text
    assert "已远程断电" not in text
