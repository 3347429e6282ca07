"""Whether a device's clock is believed, and the chain of instants in milliseconds."""

from datetime import datetime

import pytest

from alerting.core.instants import CHAIN, DeviceClock, heard, milliseconds
from tests.unit.builders import NOW, at

LATE_S = 600


@pytest.mark.parametrize(
    ("observed", "clock"),
    [
        (None, DeviceClock.NONE),
        (at(0), DeviceClock.TRUSTED),
        (at(-599), DeviceClock.TRUSTED),
        (at(-600), DeviceClock.LATE),
        (at(60), DeviceClock.TRUSTED),
        (at(61), DeviceClock.AHEAD),
        (datetime.fromisoformat("1970-01-01T00:00:07+00:00"), DeviceClock.IMPLAUSIBLE),
    ],
)
def test_only_a_plausible_clock_is_believed(observed: datetime | None, clock: DeviceClock) -> None:
    word = heard(NOW, observed, LATE_S)
    assert (word.received_at, word.clock) == (NOW, clock)
    assert word.observed_at == (observed if clock is DeviceClock.TRUSTED else None)


def test_milliseconds_since_it_came_in() -> None:
    instants = {f"{name}_at": None for name in CHAIN} | {"received_at": NOW, "planned_at": at(0.004)}
    instants |= {"observed_at": at(-1.5), "committed_at": at(0.0124), "taken_at": at(30)}
    assert milliseconds(instants) == {"observed": -1500, "committed": 12, "taken": 30_000}
    assert milliseconds(instants | {"received_at": None})["committed"] == 8, "a later step: since it was planned"
