"""What a policy must be before anybody may depend on it: stricter than what can be read. Pure; never repairs.

A policy that is refused here never replaces the one that runs.
"""

from alerting.core.model import Match, Policy, Step
from alerting.core.policy import PolicyError
from devices.model import Channel, Role
from devices.taxonomy import TAXONOMY

step_gap_s_min = 5
"""Steps from 5 s upward: nobody can pick up a phone and press a key in less."""

_NEVER_GOES = frozenset({"household"})
"""Is asked what it sees, never to go: a chain that ends with it ends in silence."""


def check(policy: Policy) -> None:
    """Raises PolicyError with the pointer of the first field that makes no sense, and what to do about it."""
    _codes(policy.match)
    _gaps(policy.steps)
    _reachable(policy.steps)
    if all(role.value in _NEVER_GOES for role in policy.loop.to):
        raise PolicyError(
            "/loop/to",
            "nobody of these goes: name at least one duty, such as control_room",
            "名单中没有人会到场：请至少填写一个值守岗位，例如 control_room",
        )
    for index, command in enumerate(policy.commands):
        if any(other.action is command.action for other in policy.commands[:index]):
            raise PolicyError(
                f"/commands/{index}/action",
                f"{command.action.value} is named twice: keep one",
                f"{command.action.value} 重复：请只保留一个",
            )


def _codes(match: Match) -> None:
    for index, code in enumerate(match.codes):
        pointer = f"/match/codes/{index}"
        hazard = TAXONOMY.get(code)
        if hazard is None:
            raise PolicyError(
                pointer,
                f"{code!r} does not exist: take a code of the taxonomy, such as fire.smoke",
                f"代码 {code!r} 不存在：请使用代码表中的代码，例如 fire.smoke",
            )
        if match.cls is not None and hazard.cls is not match.cls:
            raise PolicyError(
                pointer,
                f"{code} is class {hazard.cls.value}: with class {match.cls.value} it never matches",
                f"{code} 属于 {hazard.cls.value} 类，与 class {match.cls.value} 永远不会同时成立",
            )


def _gaps(steps: tuple[Step, ...]) -> None:
    for index in range(1, len(steps)):
        gap = steps[index].after_s - steps[index - 1].after_s
        if 0 < gap < step_gap_s_min:
            raise PolicyError(
                f"/steps/{index}/after_s",
                f"{gap} s after the step before it: give at least {step_gap_s_min} s, or the same moment",
                f"距上一步只有 {gap} 秒：请至少间隔 {step_gap_s_min} 秒，或与上一步同时",
            )


def _reachable(steps: tuple[Step, ...]) -> None:
    """Nobody is asked twice over one channel in one round: a step of old pairs only would never ask anybody."""
    asked: set[tuple[Role, Channel]] = set()
    for index, step in enumerate(steps):
        pairs = {(role, channel) for role in step.to for channel in step.channels}
        if pairs <= asked:
            raise PolicyError(
                f"/steps/{index}",
                "never asks anybody: earlier steps ask the same roles over the same channels; name another role or "
                "channel, or use redial",
                "这一步不会通知任何人：之前的步骤已用相同渠道通知相同岗位；请换岗位或渠道，或使用 redial",
            )
        asked |= pairs
