"""A carrier's limits per number: never overrun by what kills nobody, and always with something left for what does."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.core import budget
from alerting.core.budget import Bucket, Limits, Spent, night_of, room
from alerting.core.outcomes import Window

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOON = datetime(2026, 11, 27, 12, 0, tzinfo=SHANGHAI).astimezone(UTC)
NIGHT = datetime(2026, 11, 27, 23, 0, tzinfo=SHANGHAI).astimezone(UTC)
TENCENT = Limits((Window(1, 30.0), Window(2, 600.0), Window(5, 86_400.0), Window(1, 36_000.0, (22, 8))), 30.0, 2)
ALIYUN = Limits((Window(1, 60.0), Window(5, 3600.0), Window(20, 86_400.0)), 60.0, 2)


def spent(now: datetime, *ago_s: float) -> Spent:
    return Spent(tuple(sorted(now - timedelta(seconds=each) for each in ago_s)))


@pytest.mark.parametrize(
    ("ago_s", "now", "life_safety", "left"),
    [
        ((), NOON, True, 1),
        ((), NOON, False, 1),
        ((10,), NOON, True, 0),
        ((31,), NOON, True, 1),
        ((31, 100), NOON, True, 0),
        ((700, 1500, 3000), NOON, True, 1),
        ((700, 1500, 3000), NOON, False, 0),
        ((700, 1500, 3000, 4000, 5000), NOON, True, 0),
        ((), NIGHT, True, 1),
        ((), NIGHT, False, 0),
        ((1800,), NIGHT, True, 0),
        ((2 * 3600,), NIGHT, True, 1),
    ],
)
def test_what_is_left_of_tencent_s_default(
    ago_s: tuple[float, ...], now: datetime, life_safety: bool, left: int
) -> None:
    """One in 30 s, two in 10 min, five a day, one a night; two of the day are kept for life safety."""
    found = room(spent(now, *ago_s), TENCENT, now, SHANGHAI, life_safety=life_safety)
    assert found.left == left
    assert (found.frees_at is not None) == (left == 0)


def test_when_the_next_may_go() -> None:
    at = spent(NOON, 10)
    assert room(at, TENCENT, NOON, SHANGHAI, life_safety=True).frees_at == NOON + timedelta(seconds=20)
    night = room(spent(NIGHT, 1800), TENCENT, NIGHT, SHANGHAI, life_safety=True)
    assert night.frees_at == NIGHT + timedelta(hours=9)


def test_a_carrier_that_knows_better_is_believed() -> None:
    told = Spent().learned(ALIYUN, 5.0, NOON)
    assert room(told, ALIYUN, NOON, SHANGHAI, life_safety=True).frees_at == NOON + timedelta(seconds=60)
    again = told.learned(ALIYUN, 5.0, NOON)
    assert room(again, ALIYUN, NOON, SHANGHAI, life_safety=True).frees_at == NOON + timedelta(hours=1)
    assert room(told, ALIYUN, NOON + timedelta(seconds=61), SHANGHAI, life_safety=True).free


def test_no_limits_no_questions() -> None:
    busy = spent(NOON, *range(1, 200))
    assert room(busy, Limits(), NOON, SHANGHAI, life_safety=False).left is None


@pytest.mark.parametrize(
    ("hour", "hours", "expected"),
    [(23, (22, 8), (22, 8)), (3, (22, 8), (22, 8)), (8, (22, 8), None), (12, (22, 8), None), (13, (12, 14), (12, 14))],
)
def test_nights_are_local(hour: int, hours: tuple[int, int], expected: tuple[int, int] | None) -> None:
    now = datetime(2026, 11, 27, hour, 30, tzinfo=SHANGHAI).astimezone(UTC)
    found = night_of(now, hours, SHANGHAI)
    assert (None if found is None else tuple(each.astimezone(SHANGHAI).hour for each in found)) == expected
    if found is not None:
        assert found[0] <= now < found[1]


windows = st.lists(
    st.builds(Window, st.integers(1, 12), st.sampled_from([30.0, 60.0, 600.0, 3600.0, 86_400.0])),
    min_size=1,
    max_size=3,
)
steps = st.lists(st.tuples(st.integers(1, 20_000), st.booleans()), max_size=60)


@given(windows, st.integers(0, 60), st.integers(0, 3), steps)
def test_nothing_below_life_safety_ever_overruns_a_window_or_touches_the_reserve(
    given_windows: list[Window], gap_s: int, reserve: int, asked: list[tuple[int, bool]]
) -> None:
    """Whatever is asked in whatever order: for others each window holds, with the reserve left in every long one."""
    limits = Limits(tuple(given_windows), float(gap_s), reserve)
    now, counted = NOON, Spent()
    for wait_s, life_safety in asked:
        now += timedelta(seconds=wait_s)
        if not room(counted, limits, now, SHANGHAI, life_safety=life_safety).free:
            continue
        before = counted
        counted = counted.counted(now)
        for window in given_windows:
            inside = sum(at > now - timedelta(seconds=window.seconds) for at in counted.at)
            assert inside <= window.most
            if not life_safety and window.seconds >= budget.long_s:
                assert window.most - inside >= reserve
        if before.at:
            assert (now - before.at[-1]).total_seconds() >= gap_s


@given(windows, steps)
def test_it_is_free_again_when_it_says_so(given_windows: list[Window], asked: list[tuple[int, bool]]) -> None:
    limits, now, counted = Limits(tuple(given_windows)), NOON, Spent()
    for wait_s, _ in asked:
        now += timedelta(seconds=wait_s)
        found = room(counted, limits, now, SHANGHAI, life_safety=True)
        if not found.free:
            assert found.frees_at is not None
            assert found.frees_at > now
            assert room(counted, limits, found.frees_at, SHANGHAI, life_safety=True).free
            now = found.frees_at
        counted = counted.counted(now)


def test_an_account_s_rate() -> None:
    bucket: Bucket | None = None
    for n in range(3):
        bucket = budget.take(bucket, 1.0, NOON)
        assert budget.next_at(bucket, 1.0, NOON) == NOON + timedelta(seconds=n + 1)
    assert budget.next_at(bucket, 1.0, NOON + timedelta(seconds=3)) == NOON + timedelta(seconds=3)
    assert budget.next_at(None, 1.0, NOON) == NOON


def test_what_another_process_has_sent_counts_and_what_this_one_just_sent_stays() -> None:
    mine = spent(NOON, 5)
    loaded = [NOON - timedelta(seconds=each) for each in (400, 100)]
    assert len(budget.merged(loaded, mine, NOON).at) == 3
    assert len(budget.merged([*loaded, mine.at[0]], mine, NOON).at) == 3


def test_a_day_later_it_is_forgotten() -> None:
    kept = spent(NOON, 90_000, 10).counted(NOON)
    assert len(kept.at) == 2
