"""The states of a device: every move by every cause, against the law written out once more by hand."""

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from devices.lifecycle import LAW, By, Illegal, illegal, shown_state
from devices.model import DeviceState

R, I, C = DeviceState.REGISTERED, DeviceState.INSTALLED, DeviceState.COMMISSIONED  # noqa: E741
OUT, GONE = DeviceState.OUT_OF_SERVICE, DeviceState.REMOVED
NOW = datetime(2026, 5, 1, tzinfo=UTC)

BY_HAND = {(R, I), (R, GONE), (I, R), (I, GONE), (C, I), (C, GONE), (OUT, I), (OUT, GONE), (GONE, R)}
LEGAL = {
    By.EDIT: BY_HAND,
    By.ENROLMENT: {(R, I), (GONE, I)},
    By.MOVE: {(I, I), (C, I), (OUT, I)},
    By.WALK_TEST: {(R, C), (I, C), (C, C), (OUT, C)},
    By.PAUSE: {(I, OUT), (C, OUT), (OUT, OUT)},
    By.RESUME: {(OUT, I), (OUT, C)},
    By.REMOVAL: {(R, GONE), (I, GONE), (C, GONE), (OUT, GONE)},
}


@pytest.mark.parametrize(("before", "after", "by"), list(product(DeviceState, DeviceState, By)))
def test_every_move(before: DeviceState, after: DeviceState, by: By) -> None:
    refused = illegal(before, after, by)
    assert (refused is None) is ((before, after) in LEGAL[by])
    assert refused is None or isinstance(refused, Illegal)


def test_only_a_walk_test_commissions_what_was_not_commissioned() -> None:
    assert {by for (before, after), causes in LAW.items() if after is C and before is not OUT for by in causes} == {
        By.WALK_TEST
    }
    assert illegal(I, C, By.EDIT) is illegal(R, C, By.EDIT) is Illegal.NEEDS_WALK_TEST


def test_each_reason_for_what_it_is() -> None:
    assert illegal(I, OUT, By.EDIT) is Illegal.NEEDS_PERIOD
    assert illegal(I, I, By.ENROLMENT) is Illegal.IS_INSTALLED
    assert illegal(C, R, By.EDIT) is Illegal.REMOVE_FIRST
    assert illegal(R, OUT, By.PAUSE) is Illegal.NOT_INSTALLED
    assert illegal(I, I, By.RESUME) is Illegal.NOT_OUT_OF_SERVICE
    assert illegal(GONE, I, By.EDIT) is illegal(GONE, C, By.WALK_TEST) is Illegal.IS_REMOVED


@pytest.mark.parametrize("stored", DeviceState)
def test_out_of_service_lies_over_the_state_and_ends_by_itself(stored: DeviceState) -> None:
    until = NOW + timedelta(seconds=1)
    assert shown_state(stored, None, NOW) is stored
    assert shown_state(stored, NOW, NOW) is stored
    assert shown_state(stored, until, NOW) is (GONE if stored is GONE else OUT)
    assert shown_state(stored, until, until) is stored
