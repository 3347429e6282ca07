"""What no administrator may put in force: each fault named by its field, in both languages; the defaults pass."""

from typing import Any

import pytest

from alerting.core.policy import DEFAULTS, PolicyError, parse
from alerting.core.policy_check import check

ALL = ["sms", "voice", "app"]
FIRST = {"after_s": 0, "to": ["grid_worker"], "channels": ALL}
SECOND = {"after_s": 30, "to": ["deputy"], "channels": ALL}


def the(**changes: Any) -> dict[str, Any]:
    return {"steps": [FIRST, SECOND], "loop": {"every_s": 60, "to": ["control_room"]}, **changes}


@pytest.mark.parametrize("policy", DEFAULTS, ids=lambda policy: policy.name)
def test_the_defaults_pass_their_own_check(policy: Any) -> None:
    check(policy)


@pytest.mark.parametrize(
    "document",
    [
        the(),
        the(steps=[FIRST, {**SECOND, "after_s": 5}]),
        the(steps=[FIRST, {**SECOND, "after_s": 0}]),
        the(steps=[{**FIRST, "channels": ["app"]}, {**FIRST, "after_s": 60, "channels": ["voice"]}]),
        the(commands=[{"action": "cut_power", "args": {}}, {"action": "sound_siren"}]),
        the(match={"class": "A", "codes": ["charge.smoke"]}),
    ],
)
def test_what_makes_sense_passes(document: dict[str, Any]) -> None:
    check(parse("fine", document))


@pytest.mark.parametrize(
    ("pointer", "document"),
    [
        ("/steps/1/after_s", the(steps=[FIRST, {**SECOND, "after_s": 4}])),
        ("/steps/1", the(steps=[FIRST, {**FIRST, "after_s": 30, "channels": ["sms"]}])),
        ("/steps/2", the(steps=[FIRST, SECOND, {"after_s": 60, "to": ["deputy", "grid_worker"], "channels": ["app"]}])),
        ("/match/codes/1", the(match={"codes": ["fire.smoke", "fire.ice"]})),
        ("/match/codes/0", the(match={"class": "T", "codes": ["fire.smoke"]})),
        ("/commands/1/action", the(commands=[{"action": "cut_power"}, {"action": "cut_power"}])),
    ],
)
def test_what_makes_none_is_named(pointer: str, document: dict[str, Any]) -> None:
    with pytest.raises(PolicyError) as refused:
        check(parse("odd", document))
    assert refused.value.pointer == pointer
    assert refused.value.zh != refused.value.message
    assert not any("一" <= letter <= "鿿" for letter in refused.value.message)


@pytest.mark.parametrize(
    ("pointer", "document"),
    [
        ("/loop/to", the(loop={"every_s": 60, "to": []})),
        ("/commands/0/action", the(commands=[{"action": "explode"}])),
        ("/commands/0/args", the(commands=[{"action": "cut_power", "args": {"port": [1]}}])),
        ("/told_at_end", the(told_at_end="chair_or_secretary")),
    ],
)
def test_what_cannot_be_read_is_named_too(pointer: str, document: dict[str, Any]) -> None:
    with pytest.raises(PolicyError) as refused:
        parse("odd", document)
    assert refused.value.pointer == pointer
