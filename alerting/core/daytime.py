"""Standing hazards 常态隐患 (wires to e-bikes, blocked ways): found at night they are asked about in the morning. Pure.

Law: only what stands there and burns nothing; it is listed at once, with a time by which it is done.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from alerting.core.decisions import Decision, Notify, OpenIncident, SetLadder, SkipStep
from alerting.core.model import Incident, Reason, Work
from alerting.core.night import night_end
from alerting.core.world import World

STANDING = frozenset({"charge.wire", "passage.blocked", "lane.blocked", "exit.blocked"})
NIGHT = (22, 8)
"""Local hours [from, to) in which nobody is asked about them."""
WORKING_DAY_ENDS = 18
_SATURDAY = 5


def due_by(code: str, opened_at: datetime, timezone: str) -> datetime | None:
    """By when a standing hazard has to be removed: the end of the next working day; None for everything else."""
    if code not in STANDING:
        return None
    local = opened_at.astimezone(ZoneInfo(timezone))
    day = local + timedelta(days=1)
    while day.weekday() >= _SATURDAY:
        day += timedelta(days=1)
    return day.replace(hour=WORKING_DAY_ENDS, minute=0, second=0, microsecond=0).astimezone(opened_at.tzinfo)


def by_day(made: Sequence[Decision], world: World) -> list[Decision]:
    """The decisions, with the first pages of standing hazards left to the morning."""
    opened = {each.incident.id for each in made if isinstance(each, OpenIncident) and each.incident.code in STANDING}
    morning = night_end(world.now, NIGHT, world.settings.timezone) if opened else None
    if morning is None:
        return list(made)
    kept: list[Decision] = []
    for each in made:
        waits = _of(each) in opened
        if isinstance(each, OpenIncident) and waits:
            kept.append(replace(each, incident=_asleep(each.incident, morning)))
        elif isinstance(each, SetLadder) and waits:
            kept.append(SetLadder(each.incident_id, 0, 0, morning, Reason.MORNING))
        elif not (isinstance(each, Notify | SkipStep) and waits):
            kept.append(each)
    return kept


def _of(made: Decision) -> str | None:
    """The incident of what is decided about it."""
    if isinstance(made, OpenIncident):
        return made.incident.id
    return made.incident_id if isinstance(made, Notify | SkipStep | SetLadder) else None


def _asleep(incident: Incident, morning: datetime) -> Incident:
    return replace(incident, work=Work.NEW, round=0, step=0, due_at=morning, due_reason=Reason.MORNING)
