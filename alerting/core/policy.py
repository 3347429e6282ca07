"""Escalation policies: the document format of the outside contract, the defaults, which one an incident gets. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import Any, TypeGuard, TypeVar
from zoneinfo import ZoneInfo

from alerting.core.model import Action, Loop, Match, Policy, PolicyCommand, Redial, Step
from devices.model import Channel, Role
from devices.taxonomy import Hazard, SignalClass

_E = TypeVar("_E", Action, Channel, Role, SignalClass)

step_after_s_max = 86_400
steps_max = 12
redial_gap_s_min = 5


class PolicyError(ValueError):
    """A policy document that cannot be read. `pointer` is a JSON pointer to the field; `zh` says it in Chinese."""

    def __init__(self, pointer: str, message: str, zh: str = "") -> None:
        super().__init__(f"{pointer}: {message}")
        self.pointer = pointer
        self.message = message
        self.zh = zh or message


def parse(name: str, document: Mapping[str, Any], version: int = 1) -> Policy:
    """Read a policy document; raises PolicyError naming the field and what it may be."""
    steps = tuple(_step(index, raw) for index, raw in enumerate(_list(document, "/steps", "steps")))
    if not 1 <= len(steps) <= steps_max:
        raise PolicyError("/steps", f"give 1 to {steps_max} steps")
    late = next((i for i in range(1, len(steps)) if steps[i].after_s < steps[i - 1].after_s), None)
    if late is not None:
        raise PolicyError(f"/steps/{late}/after_s", "must not be smaller than the step before it", "不能早于上一步")
    if steps[0].after_s != 0:
        raise PolicyError("/steps/0/after_s", "must be 0: the first step is asked at once", "必须为 0：第一步立即通知")
    loop = document.get("loop") or {"every_s": 60, "to": ["control_room"]}
    if not isinstance(loop, Mapping):
        raise PolicyError("/loop", "must be an object with every_s and to")
    return Policy(
        name=name,
        match=_match(document.get("match") or {}),
        steps=steps,
        loop=Loop(_seconds(loop, "/loop/every_s", "every_s", 5), _roles(loop, "/loop/to")),
        version=version,
        taken_expires_s=_seconds({"v": document.get("taken_expires_s", 900)}, "/taken_expires_s", "v", 30),
        commands=tuple(_command(index, raw) for index, raw in enumerate(_commands(document))),
        told_at_end=_told_at_end(document.get("told_at_end")),
        acknowledged_expires_s=_seconds(
            {"v": document.get("acknowledged_expires_s", 600)}, "/acknowledged_expires_s", "v", 60
        ),
    )


def document(policy: Policy) -> dict[str, Any]:
    """The policy as its document, for storage and the API."""
    match = policy.match
    return {
        "match": {
            "class": match.cls.value if match.cls else None,
            "severity": match.severity,
            "codes": list(match.codes),
            "places": list(match.places),
            "hours": list(match.hours) if match.hours else None,
        },
        "steps": [
            {
                "after_s": step.after_s,
                "to": [role.value for role in step.to],
                "channels": [channel.value for channel in step.channels],
                "redial": {"gap_s": step.redial.gap_s, "max": step.redial.max} if step.redial else None,
            }
            for step in policy.steps
        ],
        "loop": {"every_s": policy.loop.every_s, "to": [role.value for role in policy.loop.to]},
        "taken_expires_s": policy.taken_expires_s,
        "commands": [
            {"action": each.action.value, "args": dict(each.args), "in_test": each.in_test} for each in policy.commands
        ],
        "told_at_end": [role.value for role in policy.told_at_end],
        "acknowledged_expires_s": policy.acknowledged_expires_s,
    }


def choose(policies: Iterable[Policy], hazard: Hazard, places: Iterable[str], now: datetime, timezone: str) -> Policy:
    """The first policy that matches; the defaults stand behind whatever is configured, so one always does."""
    path = set(places)
    hour = now.astimezone(_zone(timezone)).hour
    for policy in (*policies, *DEFAULTS):
        if _matches(policy.match, hazard, path, hour):
            return policy
    raise AssertionError("the last default matches everything")


def _matches(match: Match, hazard: Hazard, path: set[str], hour: int) -> bool:
    if match.cls is not None and match.cls is not hazard.cls:
        return False
    if match.severity is not None and match.severity != hazard.severity:
        return False
    if match.codes and hazard.code not in match.codes:
        return False
    if match.places and not path.intersection(match.places):
        return False
    return match.hours is None or _within(hour, match.hours)


def _within(hour: int, hours: tuple[int, int]) -> bool:
    start, end = hours
    return start <= hour < end if start <= end else hour >= start or hour < end


@lru_cache(maxsize=16)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def _commands(document: Mapping[str, Any]) -> list[Any]:
    return [] if document.get("commands") is None else _list(document, "/commands", "commands")


def _command(index: int, raw: Any) -> PolicyCommand:
    pointer = f"/commands/{index}"
    if not isinstance(raw, Mapping):
        raise PolicyError(pointer, "must be an object with action and args")
    args = raw.get("args") or {}
    if not isinstance(args, Mapping) or not all(isinstance(value, str | int | float) for value in args.values()):
        raise PolicyError(f"{pointer}/args", "must be an object of names with a text, number or true/false each")
    in_test = raw.get("in_test", False)
    if not isinstance(in_test, bool):
        raise PolicyError(f"{pointer}/in_test", "must be true or false")
    action = _word(Action, raw.get("action"), f"{pointer}/action")
    return PolicyCommand(action, tuple(sorted((str(name), value) for name, value in args.items())), in_test)


def _told_at_end(raw: Any) -> tuple[Role, ...]:
    if raw is None:
        return ()
    if not isinstance(raw, list | tuple):
        raise PolicyError("/told_at_end", "must be a list")
    return tuple(_word(Role, value, "/told_at_end") for value in raw)


def _step(index: int, raw: Any) -> Step:
    pointer = f"/steps/{index}"
    if not isinstance(raw, Mapping):
        raise PolicyError(pointer, "must be an object with after_s, to, channels")
    channels = tuple(
        _word(Channel, value, f"{pointer}/channels") for value in _list(raw, f"{pointer}/channels", "channels")
    )
    if not channels:
        raise PolicyError(f"{pointer}/channels", "name at least one of sms, voice, app")
    redial = raw.get("redial")
    return Step(
        after_s=_seconds(raw, f"{pointer}/after_s", "after_s", 0),
        to=_roles(raw, f"{pointer}/to"),
        channels=channels,
        redial=_redial(redial, f"{pointer}/redial") if redial else None,
    )


def _redial(raw: Any, pointer: str) -> Redial:
    if not isinstance(raw, Mapping):
        raise PolicyError(pointer, "must be an object with gap_s and max")
    return Redial(
        _seconds(raw, f"{pointer}/gap_s", "gap_s", redial_gap_s_min), _seconds(raw, f"{pointer}/max", "max", 0)
    )


def _match(raw: Any) -> Match:
    if not isinstance(raw, Mapping):
        raise PolicyError("/match", "must be an object")
    hours = raw.get("hours")
    if hours is not None and not (
        isinstance(hours, list | tuple) and len(hours) == 2 and all(_whole(hour, 0, 24) for hour in hours)
    ):
        raise PolicyError("/match/hours", "must be two local hours, such as [22, 7]")
    if hours and hours[0] == hours[1]:
        raise PolicyError(
            "/match/hours",
            "must be two different hours, or nothing for the whole day",
            "须为两个不同的整点；全天请留空",
        )
    severity = raw.get("severity")
    if severity is not None and not _whole(severity, 1, 5):
        raise PolicyError("/match/severity", "must be 1 to 5")
    cls = raw.get("class")
    return Match(
        cls=_word(SignalClass, cls, "/match/class") if cls else None,
        severity=severity,
        codes=_names(raw, "/match/codes", "codes"),
        places=_names(raw, "/match/places", "places"),
        hours=(hours[0], hours[1]) if hours else None,
    )


def _roles(raw: Mapping[str, Any], pointer: str) -> tuple[Role, ...]:
    roles = tuple(_word(Role, value, pointer) for value in _list(raw, pointer, "to"))
    if not roles:
        raise PolicyError(pointer, "name at least one step, such as grid_worker")
    return roles


def _names(raw: Mapping[str, Any], pointer: str, key: str) -> tuple[str, ...]:
    names = _list(raw, pointer, key) if raw.get(key) is not None else []
    if not all(isinstance(name, str) for name in names):
        raise PolicyError(pointer, "must be a list of texts")
    return tuple(names)


def _list(raw: Mapping[str, Any], pointer: str, key: str) -> list[Any]:
    value = raw.get(key)
    if not isinstance(value, list | tuple):
        raise PolicyError(pointer, "must be a list")
    return list(value)


def _word(kind: type[_E], value: Any, pointer: str) -> _E:
    try:
        return kind(value)
    except ValueError:
        raise PolicyError(pointer, f"{value!r} is not one of {', '.join(member.value for member in kind)}") from None


def _seconds(raw: Mapping[str, Any], pointer: str, key: str, least: int) -> int:
    value = raw.get(key)
    if not _whole(value, least, step_after_s_max):
        raise PolicyError(pointer, f"must be a whole number from {least} to {step_after_s_max}")
    return value


def _whole(value: Any, least: int, most: int) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


_ALL = (Channel.SMS, Channel.VOICE, Channel.APP)
_QUIET = (Channel.SMS, Channel.APP)
_REDIAL = Redial(gap_s=65, max=3)
_NIGHT = (22, 7)


_LADDER = (
    (Role.GRID_WORKER,),
    (Role.DEPUTY,),
    (Role.NEIGHBOUR_GRID,),
    (Role.CHAIR_OR_SECRETARY,),
    (Role.COMMUNITY_DUTY,),
    (Role.STREET_DUTY, Role.CONTROL_ROOM),
)


def _ladder(
    first: tuple[Channel, ...], later: tuple[Channel, ...], redial: Redial | None, *gaps: int
) -> tuple[Step, ...]:
    """All steps of the outside contract. An empty one costs no time: a grid without neighbours in a compound without a
    chair asks its community's duty at the third moment."""
    return tuple(
        Step(after_s=after, to=to, channels=first if index == 0 else later, redial=redial)
        for index, (after, to) in enumerate(zip(gaps, _LADDER, strict=True))
    )


def _with_nearest(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """Who is nearest is asked with the first step: the property desk or micro fire station where there is one, else the
    building's steward; and the household that agreed to it is called."""
    first = steps[0]
    nearest = (Role.PROPERTY_DESK, Role.BUILDING_STEWARD, Role.HOUSEHOLD)
    return (replace(first, to=(*first.to, *nearest)), *steps[1:])


DEFAULTS: tuple[Policy, ...] = (
    Policy(
        "default-A1",
        Match(cls=SignalClass.A, severity=1),
        _with_nearest(_ladder(_ALL, _ALL, _REDIAL, 0, 30, 60, 120, 180, 240)),
        Loop(60, (Role.COMMUNITY_DUTY, Role.STREET_DUTY, Role.CONTROL_ROOM)),
    ),
    Policy(
        "default-A2-night",
        Match(cls=SignalClass.A, severity=2, hours=_NIGHT),
        _ladder(_QUIET, _QUIET, None, 0, 120, 300, 600, 900, 1200),
        Loop(600, (Role.COMMUNITY_DUTY, Role.CONTROL_ROOM)),
    ),
    Policy(
        "default-A2",
        Match(cls=SignalClass.A, severity=2),
        (
            Step(0, (Role.GRID_WORKER,), _QUIET),
            Step(60, (Role.GRID_WORKER,), (Channel.VOICE,), _REDIAL),
            Step(120, (Role.DEPUTY,), _ALL, _REDIAL),
            Step(300, (Role.COMMUNITY_DUTY, Role.CONTROL_ROOM), _ALL, _REDIAL),
        ),
        Loop(300, (Role.COMMUNITY_DUTY, Role.CONTROL_ROOM)),
    ),
    Policy(
        "default-A3",
        Match(cls=SignalClass.A),
        _ladder(_QUIET, _QUIET, None, 0, 300, 900, 1800, 2700, 3600),
        Loop(1800, (Role.CONTROL_ROOM,)),
    ),
    Policy(
        "default-S",
        Match(cls=SignalClass.S),
        (Step(0, (Role.GRID_WORKER,), _QUIET), Step(1800, (Role.CONTROL_ROOM,), (Channel.APP,))),
        Loop(14_400, (Role.CONTROL_ROOM,)),
    ),
    Policy(
        "default-T",
        Match(),
        (Step(0, (Role.CONTROL_ROOM,), (Channel.APP,)),),
        Loop(86_400, (Role.CONTROL_ROOM,)),
    ),
)
"""Contract defaults: class A severity 1 all three channels at 0 s, then 30/60/120 s; A2 app + SMS at 0, voice at 60 s,
no voice at night; A3 app + SMS; supervisory app + SMS; trouble to the control room's screen."""
