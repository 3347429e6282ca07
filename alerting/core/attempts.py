"""What becomes of one try to reach one person: ranks that only rise, and when to try again. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from alerting.core.model import AttemptState
from alerting.core.outcomes import Accepted, Busy, NotFound, ReceiptKind, Rejected, Submitted, Unknown
from devices.model import Channel

attempts_max = 12
busy_wait_s_max = 30.0
unknown_look_after_s = 2.0
"""Before asking the provider whether it has an unsettled message: its lists lag."""
resend_gap_s = 2.0
quick_tries = 4
outage_gap_s = 10.0
"""A provider that is down is asked this often: the longest that a page waits once it is back."""
stale_after_s = 5.0
"""A message that has waited so long is not sent any more where a newer one says more to the same person."""
app_again_after_s = 5.0

RANK: dict[AttemptState, int] = {
    AttemptState.PLANNED: 0,
    AttemptState.SENDING: 1,
    AttemptState.BUSY: 2,
    AttemptState.UNKNOWN: 3,
    AttemptState.REJECTED: 4,
    AttemptState.CANCELED: 4,
    AttemptState.PROVIDER_ACCEPTED: 5,
    AttemptState.SENT: 6,
    AttemptState.FAILED: 7,
    AttemptState.EXPIRED: 7,
    AttemptState.DELIVERED: 8,
    AttemptState.ANSWERED: 9,
    AttemptState.TAKEN: 10,
}

FAILED_FOR_GOOD = (AttemptState.REJECTED, AttemptState.FAILED, AttemptState.EXPIRED)

_OF_RECEIPT: dict[ReceiptKind, AttemptState] = {
    ReceiptKind.PROVIDER_ACCEPTED: AttemptState.PROVIDER_ACCEPTED,
    ReceiptKind.SENT: AttemptState.SENT,
    ReceiptKind.RINGING: AttemptState.SENT,
    ReceiptKind.DELIVERED: AttemptState.DELIVERED,
    ReceiptKind.ANSWERED: AttemptState.ANSWERED,
    ReceiptKind.COMPLETED: AttemptState.ANSWERED,
    ReceiptKind.NO_ANSWER: AttemptState.FAILED,
    ReceiptKind.BUSY: AttemptState.FAILED,
    ReceiptKind.FAILED: AttemptState.FAILED,
    ReceiptKind.CANCELED: AttemptState.CANCELED,
}

CALL_ENDED = (ReceiptKind.COMPLETED, ReceiptKind.NO_ANSWER, ReceiptKind.BUSY, ReceiptKind.FAILED)
"""After one of these without a key the same phone may be rung again."""
LINE_FREE = (*CALL_ENDED, ReceiptKind.CANCELED)
"""After one of these the phone has no call of ours any more."""
DEAD = (AttemptState.REJECTED, AttemptState.CANCELED, AttemptState.FAILED, AttemptState.EXPIRED)
"""Nothing more comes of it: a further attempt may follow."""
redial_latest_s = 900.0
"""A second call from one number rings through do-not-disturb on common phones, if it comes within a quarter of an
hour."""


class TryReason(StrEnum):
    """Why an attempt exists. A repeat is always a planned attempt with its own id."""

    FIRST = "first"
    BUSY = "busy"
    UNSETTLED = "unsettled"
    """Nobody could say whether the one before was sent; a double page beats a miss."""
    REDIAL = "redial"
    NOT_CONFIRMED = "not_confirmed"
    ASKED_AGAIN = "asked_again"
    """The person asked to be told or called again."""
    FAILOVER = "failover"
    """The carrier before has refused it, was full or out of order: the next one."""
    HEDGE = "hedge"
    """The carrier before has not accepted it in time: the next one, while the first goes on."""
    LINE_BUSY = "line_busy"
    """The call gave way to a more urgent one to the same phone."""


SUPERSEDED = "superseded"
"""Why a message that waited was not sent: a newer one to the same person, of the same incident and channel, was."""
GAVE_UP = "gave_up"


@dataclass(frozen=True, slots=True)
class Again:
    """Plan another attempt in `after_s` seconds."""

    after_s: float
    reason: TryReason


def risen(current: AttemptState, following: AttemptState) -> AttemptState:
    """The state after a further word: ranks only rise, so late and repeated words change nothing."""
    return following if RANK[following] > RANK[current] else current


def best(states: Sequence[AttemptState]) -> AttemptState:
    return max(states, key=RANK.__getitem__)


def of_receipt(kind: ReceiptKind) -> AttemptState:
    return _OF_RECEIPT[kind]


def of_submitted(submitted: Submitted) -> AttemptState:
    if isinstance(submitted, Accepted):
        return AttemptState.PROVIDER_ACCEPTED
    if isinstance(submitted, Rejected):
        return AttemptState.REJECTED
    if isinstance(submitted, Busy):
        return AttemptState.BUSY
    return AttemptState.UNKNOWN


def again_after_submit(
    submitted: Submitted, channel: Channel, number: int, life_safety: bool, endless: bool = False
) -> Again | None:
    """What a provider's answer means for trying again. `number` is this attempt's, from 1.

    `endless`: a page of life safety that nobody has answered outlasts any outage of its provider.
    """
    if isinstance(submitted, Busy):
        wait = min(max(submitted.retry_after, 0.2), busy_wait_s_max)
        if number < attempts_max:
            return Again(wait, TryReason.BUSY)
        return Again(max(wait, outage_gap_s), TryReason.BUSY) if endless else None
    if isinstance(submitted, Unknown) and channel is Channel.APP and number < attempts_max:
        return Again(app_again_after_s, TryReason.NOT_CONFIRMED)
    return None


def again_after_reconcile(
    found: Accepted | NotFound | Unknown, number: int, life_safety: bool, endless: bool = False
) -> Again | None:
    """An unsettled SMS or call was looked up. Not found: send again. For life safety also where nobody can say."""
    if isinstance(found, Accepted) or (number >= attempts_max and not endless):
        return None
    if isinstance(found, Unknown) and not life_safety:
        return None
    return Again(resend_gap(number), TryReason.UNSETTLED)


def resend_gap(number: int) -> float:
    """Seconds after try `number`: none, a few times a moment, then twice as long each time."""
    if number == 1:
        return 0.0
    return min(resend_gap_s * 2.0 ** max(0, min(number, attempts_max) - quick_tries), outage_gap_s)


def again_after_call(redials: int, redial_max: int, gap_s: float, min_gap_s: float = 0.0) -> Again | None:
    """A call ended without a key: dialled again, not before the carrier's own gap and not too late."""
    gap = max(min(float(gap_s), redial_latest_s), min_gap_s)
    return Again(gap, TryReason.REDIAL) if redials < redial_max else None


def tries(number: int, carriers: int) -> int:
    """How often the whole channel was tried: several carriers in turn are one try."""
    return -(-number // max(1, carriers))
