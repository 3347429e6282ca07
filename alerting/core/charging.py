"""Does it still charge, half a minute after it became too hot? When that is looked at, and what a device's words mean.

Law: only words that are newer than the alarm count; where nothing is known, nothing happens. Pure.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from alerting.core.decisions import Decision, SetLadder
from alerting.core.ladder import gap_after
from alerting.core.model import Condition, Incident, Overlay, Reason, Work
from alerting.core.world import World

CODES = frozenset(
    {
        "charge.overheat",
        "charge.overcurrent",
        "charge.short",
        "charge.leakage",
        "charge.arc",
        "charge.smoke",
    }
)
AT_OPENING = (Reason.UNANSWERED, Reason.CHAIN_END)
GOING = (Reason.TAKEN_EXPIRED,)
look_after_s = 30
power_w_min = 1.0
"""Less is what a meter shows of an empty socket."""
current_a_min = 0.01

_YES = frozenset({"true", "yes", "on", "1", "charging", "充电中"})
_NO = frozenset({"false", "no", "off", "0", "idle", "stopped", "finished", "full", "空闲", "已停止", "已充满"})
_SAID = ("charging", "charge_state", "charging_state")
_MEASURED = {"power_w": power_w_min, "current_a": current_a_min}


def charges(values: Mapping[str, object]) -> bool | None:
    """What a device's values say; None: nothing. A current that flows is believed over a word that says it does not."""
    heard = [_word(values.get(name)) for name in _SAID]
    heard += [_figure(values.get(name), least) for name, least in _MEASURED.items()]
    if any(heard):
        return True
    return False if any(each is False for each in heard) else None


def concerns(incident: Incident) -> bool:
    """Is it looked at, at some time? Not where the power was cut, a person raised it, or it is an exercise."""
    return (
        incident.code in CODES
        and incident.device_id is not None
        and incident.work in (Work.NEW, Work.DISPATCHED, Work.TAKEN, Work.ON_SITE)
        and not incident.overlays & {Overlay.STILL_CHARGING, Overlay.POWER_CUT, Overlay.DRILL}
    )


def still_charges(incident: Incident, world: World) -> bool:
    told = world.told.get(incident.device_id or "")
    active = incident.condition is Condition.ACTIVE
    return told is not None and active and told.at > incident.opened_at and charges(told.values) is True


def look_at(incident: Incident) -> datetime:
    return incident.opened_at + timedelta(seconds=look_after_s)


def with_look(
    incident: Incident, made: Sequence[Decision], world: World, why: Collection[Reason] = AT_OPENING
) -> list[Decision]:
    """The ladder is looked at no later than the charging, where it stands so that `own_due` finds its time again:
    at the opening, or (`GOING`) because somebody goes."""
    if not concerns(incident) or world.now >= look_at(incident):
        return list(made)
    return [_sooner(each, look_at(incident), why) if isinstance(each, SetLadder) else each for each in made]


def own_due(incident: Incident, now: datetime) -> datetime:
    """When the ladder itself would have come, had the charging not been looked at first."""
    going = {Work.TAKEN: 1, Work.ON_SITE: 2}.get(incident.work)
    if going is None:
        return incident.opened_at + timedelta(seconds=gap_after(incident, incident.step))
    return (incident.taken_at or now) + timedelta(seconds=going * incident.policy.taken_expires_s)


def _sooner(ladder: SetLadder, look: datetime, why: Collection[Reason]) -> SetLadder:
    if ladder.reason not in why or ladder.due_at is None or ladder.due_at <= look:
        return ladder
    return replace(ladder, due_at=look, reason=Reason.STILL_CHARGING)


def _word(value: object) -> bool | None:
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower() if isinstance(value, str | int) else ""
    return True if word in _YES else False if word in _NO else None


def _figure(value: object, least: float) -> bool | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value >= least
