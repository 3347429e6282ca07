"""Law of an incident: every change of `work` is in this table; what is not in it is refused and changes nothing.

Fire and gas latch: a restoral never closes them, only a verified result does. An acknowledgement is not in the table:
it is another axis and moves no work.
"""

from enum import StrEnum

from alerting.core.decisions import Refused
from alerting.core.model import Incident, Refusal, Work
from devices.taxonomy import SignalClass


class Act(StrEnum):
    PAGE = "page"
    ACCEPT = "accept"
    DECLINE = "decline"
    EXPIRE = "expire"
    ARRIVE = "arrive"
    VERIFY = "verify"
    CLOSE = "close"
    EVALUATE = "evaluate"


TRANSITIONS: dict[Work, dict[Act, Work]] = {
    Work.NEW: {
        Act.PAGE: Work.DISPATCHED,
        Act.ACCEPT: Work.TAKEN,
        Act.ARRIVE: Work.ON_SITE,
        Act.VERIFY: Work.VERIFIED,
        Act.CLOSE: Work.CLOSED,
    },
    Work.DISPATCHED: {
        Act.PAGE: Work.DISPATCHED,
        Act.ACCEPT: Work.TAKEN,
        Act.ARRIVE: Work.ON_SITE,
        Act.VERIFY: Work.VERIFIED,
        Act.CLOSE: Work.CLOSED,
    },
    Work.TAKEN: {
        Act.PAGE: Work.TAKEN,
        Act.DECLINE: Work.DISPATCHED,
        Act.EXPIRE: Work.DISPATCHED,
        Act.ARRIVE: Work.ON_SITE,
        Act.VERIFY: Work.VERIFIED,
        Act.CLOSE: Work.CLOSED,
    },
    Work.ON_SITE: {
        Act.PAGE: Work.ON_SITE,
        Act.DECLINE: Work.DISPATCHED,
        Act.EXPIRE: Work.DISPATCHED,
        Act.VERIFY: Work.VERIFIED,
        Act.CLOSE: Work.CLOSED,
    },
    Work.VERIFIED: {Act.VERIFY: Work.VERIFIED, Act.CLOSE: Work.CLOSED},
    Work.CLOSED: {Act.EVALUATE: Work.EVALUATED},
    Work.EVALUATED: {},
}

_WHY_NOT: dict[tuple[Work, Act], Refusal] = {
    (Work.TAKEN, Act.ACCEPT): Refusal.ALREADY_TAKEN,
    (Work.ON_SITE, Act.ACCEPT): Refusal.ALREADY_TAKEN,
    (Work.VERIFIED, Act.ACCEPT): Refusal.ALREADY_TAKEN,
    (Work.NEW, Act.DECLINE): Refusal.NOT_TAKEN,
    (Work.DISPATCHED, Act.DECLINE): Refusal.NOT_TAKEN,
}


def move(incident: Incident, act: Act) -> Work | Refused:
    """The next `work`, or why not."""
    if act is Act.CLOSE and incident.cls is SignalClass.A and incident.work is not Work.VERIFIED and incident.open:
        return Refused(Refusal.NOT_VERIFIED)
    following = TRANSITIONS[incident.work].get(act)
    if following is not None:
        return following
    if not incident.open:
        return Refused(Refusal.ALREADY_CLOSED)
    return Refused(_WHY_NOT.get((incident.work, act), Refusal.WRONG_STATE), who=incident.taken_by)
