"""Law of an incident: what each act does to `work` is in this table; what is not in it is refused and changes nothing.

Fire and gas latch: a restoral never closes them, only a verified result does. An act that moves no work (an
acknowledgement, a note, silence, the shelf) stands here with the state it leaves as it is. Nothing leads back from
closed to open: reopening makes another incident.
"""

from enum import StrEnum

from alerting.core.decisions import Refused
from alerting.core.model import Incident, Refusal, Work
from devices.taxonomy import SignalClass


class Act(StrEnum):
    """What can be done to an incident: by people, but for `page` (somebody was asked) and `expire` (time is up)."""

    PAGE = "page"
    EXPIRE = "expire"
    ACKNOWLEDGE = "acknowledge"
    ACCEPT = "accept"
    DECLINE = "decline"
    DISPATCH = "dispatch"
    ARRIVE = "arrive"
    VERIFY = "verify"
    TRANSFER = "transfer"
    ESCALATE = "escalate"
    CALL_AGAIN = "call-again"
    SILENCE = "silence"
    SHELVE = "shelve"
    UNSHELVE = "unshelve"
    NOTE = "note"
    CLOSE = "close"
    EVALUATE = "evaluate"
    REOPEN = "reopen"


_EASY = (Act.ACKNOWLEDGE, Act.SILENCE, Act.NOTE)
"""In every state that is not closed; they move nothing."""
_ASKING = (Act.ESCALATE, Act.SHELVE, Act.UNSHELVE)
"""As long as no result is recorded; they move nothing."""


def _stays(work: Work, *acts: Act) -> dict[Act, Work]:
    return dict.fromkeys(acts, work)


TRANSITIONS: dict[Work, dict[Act, Work]] = {
    Work.NEW: {
        **_stays(Work.NEW, *_EASY, *_ASKING, Act.DECLINE, Act.TRANSFER, Act.CALL_AGAIN),
        Act.PAGE: Work.DISPATCHED,
        Act.DISPATCH: Work.DISPATCHED,
        Act.ACCEPT: Work.TAKEN,
        Act.ARRIVE: Work.ON_SITE,
        Act.VERIFY: Work.VERIFIED,
        Act.CLOSE: Work.CLOSED,
    },
    Work.DISPATCHED: {
        **_stays(Work.DISPATCHED, *_EASY, *_ASKING, Act.DECLINE, Act.TRANSFER, Act.CALL_AGAIN, Act.PAGE, Act.DISPATCH),
        Act.ACCEPT: Work.TAKEN,
        Act.ARRIVE: Work.ON_SITE,
        Act.VERIFY: Work.VERIFIED,
        Act.CLOSE: Work.CLOSED,
    },
    Work.TAKEN: {
        **_stays(Work.TAKEN, *_EASY, *_ASKING, Act.PAGE, Act.DISPATCH),
        Act.DECLINE: Work.DISPATCHED,
        Act.EXPIRE: Work.DISPATCHED,
        Act.TRANSFER: Work.DISPATCHED,
        Act.ARRIVE: Work.ON_SITE,
        Act.VERIFY: Work.VERIFIED,
        Act.CLOSE: Work.CLOSED,
    },
    Work.ON_SITE: {
        **_stays(Work.ON_SITE, *_EASY, *_ASKING, Act.PAGE, Act.DISPATCH),
        Act.DECLINE: Work.DISPATCHED,
        Act.EXPIRE: Work.DISPATCHED,
        Act.TRANSFER: Work.DISPATCHED,
        Act.VERIFY: Work.VERIFIED,
        Act.CLOSE: Work.CLOSED,
    },
    Work.VERIFIED: {
        **_stays(Work.VERIFIED, *_EASY, Act.VERIFY),
        Act.CLOSE: Work.CLOSED,
    },
    Work.CLOSED: {
        **_stays(Work.CLOSED, Act.NOTE, Act.REOPEN),
        Act.EVALUATE: Work.EVALUATED,
    },
    Work.EVALUATED: _stays(Work.EVALUATED, Act.NOTE, Act.REOPEN),
}

_WHY_NOT: dict[tuple[Work, Act], Refusal] = {
    **{
        (work, act): Refusal.ALREADY_TAKEN
        for work in (Work.TAKEN, Work.ON_SITE, Work.VERIFIED)
        for act in (Act.ACCEPT, Act.CALL_AGAIN)
    },
    **{(work, act): Refusal.NOT_CLOSED for work in Work for act in (Act.EVALUATE, Act.REOPEN)},
    (Work.EVALUATED, Act.EVALUATE): Refusal.ALREADY_EVALUATED,
}


def move(incident: Incident, act: Act) -> Work | Refused:
    """The next `work`, or why not."""
    if act is Act.CLOSE and incident.cls is SignalClass.A and incident.work is not Work.VERIFIED and incident.open:
        return Refused(Refusal.NOT_VERIFIED)
    following = TRANSITIONS[incident.work].get(act)
    if following is not None:
        return following
    if not incident.open and act is not Act.EVALUATE:
        return Refused(Refusal.ALREADY_CLOSED)
    return Refused(_WHY_NOT.get((incident.work, act), Refusal.WRONG_STATE), who=incident.taken_by)
