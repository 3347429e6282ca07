"""Policy documents: read, written, refused with a pointer; the contract's defaults; which one an incident gets."""

from datetime import UTC, datetime
from typing import Any

import pytest

from alerting.core.model import Loop, Match, Policy, Redial, Step
from alerting.core.policy import DEFAULTS, PolicyError, choose, document, parse
from devices.model import LADDER, Channel, Role
from devices.taxonomy import TAXONOMY, SignalClass
from tests.unit.builders import a_policy, a_step

SMS, VOICE, APP = Channel.SMS, Channel.VOICE, Channel.APP
NIGHT = datetime(2026, 11, 22, 19, 12, tzinfo=UTC)
"""03:12 in Xinyang."""
DAY = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
"""Noon there."""

STEP = {"after_s": 0, "to": ["grid_worker"], "channels": ["sms"]}
FULL = {
    "match": {"class": "A", "severity": 1, "codes": ["fire.smoke"], "places": ["compound"], "hours": [22, 7]},
    "steps": [
        {**STEP, "channels": ["sms", "voice", "app"], "redial": {"gap_s": 65, "max": 3}},
        {"after_s": 30, "to": ["deputy", "neighbour_grid"], "channels": ["voice"]},
    ],
    "loop": {"every_s": 60, "to": ["community_duty", "control_room"]},
    "taken_expires_s": 600,
}


def chosen(code: str, now: datetime = DAY, policies: tuple[Policy, ...] = (), places: tuple[str, ...] = ()) -> Policy:
    return choose(policies, TAXONOMY[code], places, now, "Asia/Shanghai")


def test_a_document_is_read_as_it_says() -> None:
    assert parse("fires", FULL, version=4) == Policy(
        "fires",
        Match(SignalClass.A, 1, ("fire.smoke",), ("compound",), (22, 7)),
        (
            Step(0, (Role.GRID_WORKER,), (SMS, VOICE, APP), Redial(65, 3)),
            Step(30, (Role.DEPUTY, Role.NEIGHBOUR_GRID), (VOICE,)),
        ),
        Loop(60, (Role.COMMUNITY_DUTY, Role.CONTROL_ROOM)),
        version=4,
        taken_expires_s=600,
    )


@pytest.mark.parametrize("policy", [*DEFAULTS, parse("fires", FULL)], ids=lambda policy: policy.name)
def test_a_policy_survives_being_written_and_read(policy: Policy) -> None:
    assert parse(policy.name, document(policy), policy.version) == policy


def test_the_smallest_document_says_only_who_is_asked() -> None:
    policy = parse("small", {"steps": [STEP]})
    assert policy.match == Match()
    assert policy.loop == Loop(60, (Role.CONTROL_ROOM,))
    assert policy.taken_expires_s == 900


@pytest.mark.parametrize(
    ("pointer", "broken"),
    [
        ("/steps", {}),
        ("/steps", {"steps": []}),
        ("/steps", {"steps": "grid_worker"}),
        ("/steps", {"steps": [STEP] * 13}),
        ("/steps/0", {"steps": ["grid_worker"]}),
        ("/steps/0/after_s", {"steps": [{**STEP, "after_s": -1}]}),
        ("/steps/0/after_s", {"steps": [{**STEP, "after_s": "30"}]}),
        ("/steps/0/after_s", {"steps": [{**STEP, "after_s": True}]}),
        ("/steps/0/after_s", {"steps": [{**STEP, "after_s": 1.5}]}),
        ("/steps/0/after_s", {"steps": [{**STEP, "after_s": 30}]}),
        ("/steps/0/after_s", {"steps": [{"to": ["grid_worker"], "channels": ["sms"]}]}),
        ("/steps/0/to", {"steps": [{**STEP, "to": []}]}),
        ("/steps/0/to", {"steps": [{**STEP, "to": ["watchman"]}]}),
        ("/steps/0/to", {"steps": [{**STEP, "to": [{}]}]}),
        ("/steps/0/channels", {"steps": [{**STEP, "channels": []}]}),
        ("/steps/0/channels", {"steps": [{**STEP, "channels": ["pager"]}]}),
        ("/steps/0/channels", {"steps": [{**STEP, "channels": "sms"}]}),
        ("/steps/0/redial", {"steps": [{**STEP, "redial": "often"}]}),
        ("/steps/0/redial/gap_s", {"steps": [{**STEP, "redial": {"gap_s": 1, "max": 3}}]}),
        ("/steps/0/redial/max", {"steps": [{**STEP, "redial": {"gap_s": 65}}]}),
        ("/steps/2/after_s", {"steps": [STEP, {**STEP, "after_s": 60}, {**STEP, "after_s": 30}]}),
        ("/loop", {"steps": [STEP], "loop": [60]}),
        ("/loop", {"steps": [STEP], "loop": "control_room"}),
        ("/loop/every_s", {"steps": [STEP], "loop": {"every_s": 0, "to": ["control_room"]}}),
        ("/loop/to", {"steps": [STEP], "loop": {"every_s": 60}}),
        ("/loop/to", {"steps": [STEP], "loop": {"every_s": 60, "to": ["nobody"]}}),
        ("/match", {"steps": [STEP], "match": ["A"]}),
        ("/match/class", {"steps": [STEP], "match": {"class": "B"}}),
        ("/match/severity", {"steps": [STEP], "match": {"severity": 0}}),
        ("/match/severity", {"steps": [STEP], "match": {"severity": True}}),
        ("/match/severity", {"steps": [STEP], "match": {"severity": [1]}}),
        ("/match/codes", {"steps": [STEP], "match": {"codes": "fire.smoke"}}),
        ("/match/codes", {"steps": [STEP], "match": {"codes": [1]}}),
        ("/match/places", {"steps": [STEP], "match": {"places": "compound"}}),
        ("/match/hours", {"steps": [STEP], "match": {"hours": [22]}}),
        ("/match/hours", {"steps": [STEP], "match": {"hours": [22, 25]}}),
        ("/match/hours", {"steps": [STEP], "match": {"hours": [7, 7]}}),
        ("/match/hours", {"steps": [STEP], "match": {"hours": "night"}}),
        ("/taken_expires_s", {"steps": [STEP], "taken_expires_s": 5}),
        ("/taken_expires_s", {"steps": [STEP], "taken_expires_s": None}),
    ],
)
def test_what_cannot_be_read_is_named(pointer: str, broken: dict[str, Any]) -> None:
    with pytest.raises(PolicyError) as refused:
        parse("broken", broken)
    assert refused.value.pointer == pointer
    assert str(refused.value).startswith(f"{pointer}: ")


def test_life_safety_rings_everything_at_once_and_never_waits_long() -> None:
    policy = chosen("fire.smoke")
    assert [step.after_s for step in policy.steps][:4] == [0, 30, 60, 120], "the outside contract"
    assert all(set(step.channels) == {SMS, VOICE, APP} for step in policy.steps)
    ladder = [role for step in policy.steps for role in step.to if role in LADDER]
    assert ladder == list(LADDER), "every step of the outside contract, in its order"
    assert policy.loop.every_s <= 60
    assert chosen("fire.smoke", NIGHT) == policy, "quiet hours never touch it"


@pytest.mark.parametrize("code", sorted(code for code, hazard in TAXONOMY.items() if hazard.life_safety))
def test_every_life_safety_code_gets_the_life_safety_policy(code: str) -> None:
    assert chosen(code).name == chosen(code, NIGHT).name == "default-A1"


def test_the_second_severity_rings_after_a_minute_and_not_at_night() -> None:
    by_day = chosen("charge.overcurrent")
    assert set(by_day.steps[0].channels) == {SMS, APP}
    assert (by_day.steps[1].after_s, by_day.steps[1].channels, by_day.steps[1].to) == (60, (VOICE,), by_day.steps[0].to)
    by_night = chosen("charge.overcurrent", NIGHT)
    assert all(VOICE not in step.channels for step in by_night.steps)


def test_the_third_severity_is_written_only() -> None:
    for now in (DAY, NIGHT):
        assert all(set(step.channels) == {SMS, APP} for step in chosen("water.leak", now).steps)


@pytest.mark.parametrize("code", sorted(TAXONOMY))
def test_every_code_has_a_policy_that_ends_with_somebody(code: str) -> None:
    for now in (DAY, NIGHT):
        policy = chosen(code, now)
        assert policy.steps[0].after_s == 0
        assert Role.CONTROL_ROOM in policy.loop.to


@pytest.mark.parametrize(
    ("match", "matches"),
    [
        (Match(), True),
        (Match(cls=SignalClass.A), True),
        (Match(cls=SignalClass.S), False),
        (Match(severity=1), True),
        (Match(severity=2), False),
        (Match(codes=("gas.co", "fire.smoke")), True),
        (Match(codes=("fire.heat",)), False),
        (Match(places=("compound",)), True),
        (Match(places=("elsewhere",)), False),
        (Match(hours=(22, 7)), True),
        (Match(hours=(3, 4)), True),
        (Match(hours=(2, 3)), False),
        (Match(hours=(4, 3)), False),
        (Match(hours=(7, 22)), False),
        (Match(hours=(0, 24)), True),
        (Match(cls=SignalClass.A, severity=1, codes=("fire.smoke",), places=("compound",), hours=(0, 4)), True),
        (Match(cls=SignalClass.A, severity=1, codes=("fire.smoke",), places=("elsewhere",), hours=(0, 4)), False),
    ],
)
def test_a_policy_matches_when_each_of_its_words_does(match: Match, matches: bool) -> None:
    mine = a_policy(a_step(0, Role.CONTROL_ROOM), match=match, name="mine")
    found = chosen("fire.smoke", NIGHT, (mine,), ("street", "compound", "b3"))
    assert found.name == ("mine" if matches else "default-A1")


def test_the_first_that_matches_wins() -> None:
    first, second = (a_policy(a_step(0, Role.DEPUTY), name=name) for name in ("first", "second"))
    assert chosen("fire.smoke", DAY, (first, second)).name == "first"
