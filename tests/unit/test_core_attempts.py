"""What becomes of one try: ranks only rise whatever comes in whatever order, every repeat has a reason and an end."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.core.attempts import (
    CALL_ENDED,
    FAILED_FOR_GOOD,
    RANK,
    Again,
    TryReason,
    again_after_call,
    again_after_reconcile,
    again_after_submit,
    app_again_after_s,
    attempts_max,
    best,
    busy_wait_s_max,
    of_receipt,
    of_submitted,
    outage_gap_s,
    resend_gap,
    risen,
)
from alerting.core.model import AttemptState
from alerting.core.outcomes import Accepted, Busy, NotFound, ReceiptKind, Rejected, Scope, Submitted, Unknown
from devices.model import Channel

S = AttemptState
states = st.sampled_from(list(AttemptState))
ANSWERS = (Accepted("SM1"), Rejected("no", Scope.NUMBER), Busy(1.0), Unknown("cut"))


def test_every_state_has_a_rank_and_every_receipt_a_state() -> None:
    assert set(RANK) == set(AttemptState)
    assert {of_receipt(kind) for kind in ReceiptKind} <= set(AttemptState)


@given(st.lists(states, min_size=1))
def test_ranks_only_rise(words: list[AttemptState]) -> None:
    state = S.PLANNED
    for word in words:
        before, state = state, risen(state, word)
        assert RANK[state] >= RANK[before]
    assert RANK[state] == RANK[best([S.PLANNED, *words])]


@given(states, states)
def test_the_same_word_again_changes_nothing(first: AttemptState, second: AttemptState) -> None:
    assert risen(risen(first, second), second) == risen(first, second)


@pytest.mark.parametrize(("first", "second"), [(S.REJECTED, S.CANCELED), (S.FAILED, S.EXPIRED)])
def test_of_two_words_of_one_rank_the_first_stays(first: AttemptState, second: AttemptState) -> None:
    assert risen(first, second) is first
    assert risen(second, first) is second


def test_receipts_in_any_order_and_twice_end_in_the_same_state() -> None:
    told = (ReceiptKind.SENT, ReceiptKind.DELIVERED, ReceiptKind.PROVIDER_ACCEPTED, ReceiptKind.RINGING)
    for order in permutations(told):
        state = S.SENDING
        for kind in (*order, *order):
            state = risen(state, of_receipt(kind))
        assert state is S.DELIVERED


@pytest.mark.parametrize(
    ("low", "high"),
    [
        (S.PLANNED, S.SENDING),
        (S.BUSY, S.UNKNOWN),
        (S.UNKNOWN, S.PROVIDER_ACCEPTED),
        (S.REJECTED, S.PROVIDER_ACCEPTED),
        (S.CANCELED, S.PROVIDER_ACCEPTED),
        (S.SENT, S.FAILED),
        (S.FAILED, S.DELIVERED),
        (S.DELIVERED, S.ANSWERED),
        (S.ANSWERED, S.TAKEN),
    ],
)
def test_what_says_more_about_the_person_ranks_higher(low: AttemptState, high: AttemptState) -> None:
    assert risen(low, high) is high
    assert risen(high, low) is high


def test_a_completed_call_is_no_acceptance_for_voicemail_completes_too() -> None:
    assert of_receipt(ReceiptKind.COMPLETED) is S.ANSWERED
    assert S.TAKEN not in {of_receipt(kind) for kind in ReceiptKind}


@pytest.mark.parametrize(
    ("submitted", "state"),
    list(zip(ANSWERS, (S.PROVIDER_ACCEPTED, S.REJECTED, S.BUSY, S.UNKNOWN), strict=True)),
)
def test_a_providers_answer_is_one_of_four(submitted: Submitted, state: AttemptState) -> None:
    assert of_submitted(submitted) is state


@pytest.mark.parametrize(
    ("submitted", "channel", "again"),
    [
        (Accepted("SM1"), Channel.SMS, None),
        (Rejected("no", Scope.NUMBER), Channel.VOICE, None),
        (Unknown("cut"), Channel.SMS, None),
        (Unknown("cut"), Channel.VOICE, None),
        (Unknown("cut"), Channel.APP, Again(app_again_after_s, TryReason.NOT_CONFIRMED)),
        (Busy(3.0), Channel.SMS, Again(3.0, TryReason.BUSY)),
        (Busy(0.0), Channel.SMS, Again(0.2, TryReason.BUSY)),
        (Busy(3600.0), Channel.SMS, Again(busy_wait_s_max, TryReason.BUSY)),
    ],
)
def test_when_a_submission_is_tried_again(submitted: Submitted, channel: Channel, again: Again | None) -> None:
    assert again_after_submit(submitted, channel, 1, life_safety=True) == again


@pytest.mark.parametrize("channel", list(Channel))
@pytest.mark.parametrize("submitted", ANSWERS)
def test_tries_end(submitted: Submitted, channel: Channel) -> None:
    assert again_after_submit(submitted, channel, attempts_max, life_safety=True) is None
    assert again_after_reconcile(NotFound(), attempts_max, life_safety=True) is None


def test_a_page_of_life_safety_outlasts_every_outage() -> None:
    """Nobody has answered: it is tried until the provider is back, ever more seldom, never more so than this."""
    late = Again(outage_gap_s, TryReason.UNSETTLED)
    assert again_after_reconcile(NotFound(), 500, life_safety=True, endless=True) == late
    assert again_after_reconcile(Unknown("cut"), attempts_max, life_safety=True, endless=True) == late
    busy = again_after_submit(Busy(0.4), Channel.SMS, attempts_max, life_safety=True, endless=True)
    assert busy == Again(outage_gap_s, TryReason.BUSY)
    gaps = [resend_gap(number) for number in range(1, 40)]
    assert gaps == sorted(gaps)
    assert sum(gaps[:4]) < 10, "a hiccup is no outage"


def test_an_unsettled_message_of_life_safety_is_sent_again() -> None:
    assert again_after_reconcile(NotFound(), 1, life_safety=True) == Again(0.0, TryReason.UNSETTLED)
    second = again_after_reconcile(NotFound(), 2, life_safety=True)
    assert second is not None
    assert second.after_s > 0, "not in a tight circle"


def test_a_message_that_the_provider_has_is_not_sent_again() -> None:
    assert again_after_reconcile(Accepted("SM1"), 1, life_safety=True) is None


@pytest.mark.parametrize(("redials", "again"), [(0, True), (2, True), (3, False), (9, False)])
def test_a_call_without_a_key_is_made_again_after_the_carriers_gap(redials: int, again: bool) -> None:
    assert again_after_call(redials, 3, 65) == (Again(65.0, TryReason.REDIAL) if again else None)


def test_no_redial_where_the_step_has_none() -> None:
    assert again_after_call(0, 0, 0) is None


def test_what_failed_for_good_cannot_still_arrive() -> None:
    assert set(FAILED_FOR_GOOD) == {S.REJECTED, S.FAILED, S.EXPIRED}
    assert ReceiptKind.RINGING not in CALL_ENDED


def test_below_life_safety_only_what_was_certainly_not_sent_is_sent_again() -> None:
    assert again_after_reconcile(NotFound(), 1, life_safety=False) == Again(0.0, TryReason.UNSETTLED)
    assert again_after_reconcile(Unknown("time_out"), 1, life_safety=False) is None
    assert again_after_reconcile(Unknown("time_out"), 1, life_safety=True) is not None
