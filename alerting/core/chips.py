"""How far a message has come, in five words that everybody understands, and whether its carrier tells us more. Pure.

Law: a word says no more than is known: what a carrier took is `submitted`, never `delivered`.
"""

from datetime import datetime, timedelta
from enum import StrEnum

from alerting.core.model import AttemptState

receipt_due = timedelta(seconds=10)
"""So long after its acceptance a receipt is missing."""


class Chip(StrEnum):
    QUEUED = "queued"
    SUBMITTED = "submitted"
    """A carrier has it."""
    DELIVERED = "delivered"
    """The phone has it."""
    ANSWERED = "answered"
    """Somebody, or something, picked up."""
    TAKEN = "taken"
    """The person has answered: by a key, a reply, a tap."""


class ReceiptWord(StrEnum):
    KNOWN = "known"
    UNKNOWN = "unknown"
    """Shown as `?`: this carrier gives no receipts."""
    MISSING = "missing"
    """It gives receipts, and none has come."""


ORDER = tuple(Chip)


def chip_of(
    state: AttemptState,
    provider_accepted_at: datetime | None,
    delivered_at: datetime | None,
    answered_at: datetime | None,
) -> Chip:
    """Of one attempt. What failed later keeps what it had reached; that it failed is its state."""
    if state is AttemptState.TAKEN:
        return Chip.TAKEN
    if state is AttemptState.ANSWERED or answered_at is not None:
        return Chip.ANSWERED
    if state is AttemptState.DELIVERED or delivered_at is not None:
        return Chip.DELIVERED
    if state in (AttemptState.PROVIDER_ACCEPTED, AttemptState.SENT) or provider_accepted_at is not None:
        return Chip.SUBMITTED
    return Chip.QUEUED


def receipt_of(
    chip: Chip, gives_receipts: bool, accepted_at: datetime | None, first_receipt_at: datetime | None, now: datetime
) -> ReceiptWord | None:
    """None: there is nothing to expect yet."""
    if chip in (Chip.DELIVERED, Chip.ANSWERED, Chip.TAKEN) or first_receipt_at is not None:
        return ReceiptWord.KNOWN
    if chip is Chip.QUEUED or accepted_at is None:
        return None
    if not gives_receipts:
        return ReceiptWord.UNKNOWN
    return ReceiptWord.MISSING if now - accepted_at > receipt_due else None
