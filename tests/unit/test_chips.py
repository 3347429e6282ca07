"""Five words for how far a message has come, none of which says more than is known."""

from datetime import UTC, datetime, timedelta

import pytest

from alerting.channels.providers import TABLE
from alerting.core.attempts import of_receipt
from alerting.core.chips import Chip, ReceiptWord, chip_of, receipt_of
from alerting.core.model import AttemptState
from alerting.core.outcomes import ReceiptKind

NOW = datetime(2026, 11, 27, 3, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("state", "accepted", "expected"),
    [
        (AttemptState.PLANNED, False, Chip.QUEUED),
        (AttemptState.SENDING, False, Chip.QUEUED),
        (AttemptState.BUSY, False, Chip.QUEUED),
        (AttemptState.UNKNOWN, False, Chip.QUEUED),
        (AttemptState.REJECTED, False, Chip.QUEUED),
        (AttemptState.PROVIDER_ACCEPTED, True, Chip.SUBMITTED),
        (AttemptState.SENT, True, Chip.SUBMITTED),
        (AttemptState.FAILED, True, Chip.SUBMITTED),
        (AttemptState.CANCELED, True, Chip.SUBMITTED),
        (AttemptState.DELIVERED, True, Chip.DELIVERED),
        (AttemptState.ANSWERED, True, Chip.ANSWERED),
        (AttemptState.TAKEN, True, Chip.TAKEN),
    ],
)
def test_each_state_has_its_chip(state: AttemptState, accepted: bool, expected: Chip) -> None:
    assert chip_of(state, NOW if accepted else None, None, None) is expected


def test_no_receipt_says_taken() -> None:
    for kind in ReceiptKind:
        assert chip_of(of_receipt(kind), NOW, None, None) is not Chip.TAKEN


@pytest.mark.parametrize(
    ("chip", "gives", "age_s", "receipt", "expected"),
    [
        (Chip.QUEUED, True, None, False, None),
        (Chip.SUBMITTED, True, 5, False, None),
        (Chip.SUBMITTED, True, 11, False, ReceiptWord.MISSING),
        (Chip.SUBMITTED, True, 11, True, ReceiptWord.KNOWN),
        (Chip.SUBMITTED, False, 1, False, ReceiptWord.UNKNOWN),
        (Chip.SUBMITTED, False, 60, False, ReceiptWord.UNKNOWN),
        (Chip.TAKEN, False, 60, False, ReceiptWord.KNOWN),
        (Chip.DELIVERED, True, 60, True, ReceiptWord.KNOWN),
    ],
)
def test_a_question_mark_only_where_nobody_could_know(
    chip: Chip, gives: bool, age_s: int | None, receipt: bool, expected: ReceiptWord | None
) -> None:
    accepted_at = None if age_s is None else NOW - timedelta(seconds=age_s)
    assert receipt_of(chip, gives, accepted_at, NOW if receipt else None, NOW) is expected


def test_who_gives_no_receipts() -> None:
    assert {name for name, vendor in TABLE.items() if not vendor.receipts} == {"sns", "wecom"}
