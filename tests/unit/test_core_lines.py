"""One telephone, one call: who has the line, until when, and whose call gives way."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.core.lines import Line, ends
from alerting.lines import Lines

NOW = datetime(2026, 11, 27, tzinfo=UTC)
NUMBER = "+8610000000001"


def a_line(attempt: str = "a-1", urgency: int = 0, lasts_s: float = 85.0, *, answered: bool = False) -> Line:
    until = NOW + timedelta(seconds=lasts_s)
    return Line(attempt, f"n-{attempt}", "i-1", "twilio", urgency, until, answered=answered)


def test_a_call_has_ended_after_its_ring_time_and_a_minute_at_the_latest() -> None:
    assert ends(NOW, 25) == NOW + timedelta(seconds=85)
    lines = Lines()
    lines.take(NUMBER, a_line())
    assert lines.at(NUMBER, NOW + timedelta(seconds=84)) is not None
    assert lines.at(NUMBER, NOW + timedelta(seconds=85)) is None
    assert lines.of("a-1") is None


@pytest.mark.parametrize(
    ("has", "wants", "answered", "gives_way"), [(2, 0, False, True), (0, 0, False, False), (2, 0, True, False)]
)
def test_a_ringing_call_gives_way_to_a_more_urgent_one(has: int, wants: int, answered: bool, gives_way: bool) -> None:
    assert a_line(urgency=has, answered=answered).gives_way(wants) is gives_way


def test_an_attempt_frees_its_own_line_only() -> None:
    lines = Lines()
    lines.take(NUMBER, a_line("a-1"))
    lines.take(NUMBER, a_line("a-2"))
    assert not lines.free("a-1")
    assert lines.of("a-2") is not None
    assert lines.free("a-2")
    assert lines.at(NUMBER, NOW) is None


def test_what_is_learned_of_a_call_stays_with_it() -> None:
    lines = Lines()
    lines.take(NUMBER, a_line())
    lines.known_as("a-1", "CA1")
    lines.answered("a-1")
    line = lines.of("a-1")
    assert line is not None
    assert (line.provider_ref, line.answered) == ("CA1", True)
    lines.hold("a-1", 25.0, NOW)
    assert lines.at(NUMBER, NOW + timedelta(seconds=25)) is None


def test_a_call_that_came_to_light_beside_another_keeps_the_phone_until_both_have_ended() -> None:
    lines = Lines()
    lines.take(NUMBER, a_line("next", lasts_s=40.0))
    lines.take(NUMBER, a_line("late", lasts_s=85.0))
    assert not lines.free("next")
    line = lines.at(NUMBER, NOW + timedelta(seconds=41))
    assert line is not None
    assert line.attempt_id == "late"
    assert lines.at(NUMBER, NOW + timedelta(seconds=85)) is None


def test_the_call_that_ends_last_has_the_phone_whichever_was_taken_first() -> None:
    lines = Lines()
    lines.take(NUMBER, a_line("long", lasts_s=85.0))
    lines.take(NUMBER, a_line("short", lasts_s=40.0))
    line = lines.at(NUMBER, NOW + timedelta(seconds=41))
    assert line is not None
    assert line.attempt_id == "long"
    assert lines.of("short") is None


def test_proof_that_a_call_is_on_outlasts_the_hold_of_one_that_nobody_knew_of() -> None:
    lines = Lines()
    lines.take(NUMBER, a_line())
    lines.hold("a-1", 25.0, NOW)
    lines.lasts("a-1", NOW + timedelta(seconds=80))
    assert lines.at(NUMBER, NOW + timedelta(seconds=79)) is not None
    lines.lasts("a-1", NOW)
    assert lines.at(NUMBER, NOW + timedelta(seconds=79)) is not None
    assert lines.at(NUMBER, NOW + timedelta(seconds=80)) is None


def test_a_clock_set_forward_ends_no_call() -> None:
    lines, hour = Lines(), timedelta(hours=1)
    lines.take(NUMBER, a_line(lasts_s=85.0))
    lines.moved(hour)
    assert lines.at(NUMBER, NOW + hour + timedelta(seconds=84)) is not None
    assert lines.at(NUMBER, NOW + hour + timedelta(seconds=85)) is None


moves = st.lists(
    st.tuples(st.sampled_from(["take", "free", "pass"]), st.integers(0, 5), st.integers(1, 60)), max_size=40
)


@given(moves)
def test_whoever_asks_first_never_overlaps(made: list[tuple[str, int, int]]) -> None:
    """Calls that are made only while the line is free never run into each other."""
    lines, now = Lines(), NOW
    running: tuple[str, datetime] | None = None
    for n, (move, which, seconds) in enumerate(made):
        if move == "pass":
            now += timedelta(seconds=seconds)
        elif move == "free":
            if running is not None and which % 2:
                lines.free(running[0])
                running = None
        elif lines.at(NUMBER, now) is None:
            assert running is None or running[1] <= now
            line = Line(f"a-{n}", f"n-{n}", "i", "twilio", 0, now + timedelta(seconds=seconds))
            lines.take(NUMBER, line)
            running = (line.attempt_id, line.until)
