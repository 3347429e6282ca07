"""Local hours: the night's end, the next hour, the settings that choose them."""

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from alerting.core.night import local_day, next_hour, night_end
from gengfu.settings_restraint import RestraintOptions

SHANGHAI = "Asia/Shanghai"


def local(hour: int, minute: int = 0, day: int = 23) -> datetime:
    """That hour of 23 November in Xinyang."""
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC) - timedelta(hours=8)


@pytest.mark.parametrize(
    ("now", "night", "end"),
    [
        (local(22), (22, 7), local(7, day=24)),
        (local(23, 59), (22, 7), local(7, day=24)),
        (local(0), (22, 7), local(7)),
        (local(6, 59), (22, 7), local(7)),
        (local(7), (22, 7), None),
        (local(21, 59), (22, 7), None),
        (local(1), (0, 6), local(6)),
        (local(6), (0, 6), None),
        (local(12), (8, 8), None),
    ],
)
def test_the_night_ends(now: datetime, night: tuple[int, int], end: datetime | None) -> None:
    assert night_end(now, night, SHANGHAI) == end


def test_the_next_hour_is_always_ahead() -> None:
    assert next_hour(local(7, 59), 8, SHANGHAI) == local(8)
    assert next_hour(local(8), 8, SHANGHAI) == local(8, day=24)
    assert next_hour(local(23), 24, SHANGHAI) == local(0, day=24)


def test_an_hour_of_a_zone_with_summer_time_is_the_wall_clock_s() -> None:
    before = datetime(2026, 3, 28, 12, tzinfo=UTC)
    assert next_hour(before, 8, "Europe/Berlin") == datetime(2026, 3, 29, 6, tzinfo=UTC)


def test_the_local_day() -> None:
    assert local_day(datetime(2026, 11, 22, 16, 0, tzinfo=UTC), SHANGHAI) == "2026-11-23"


def test_settings_of_restraint() -> None:
    plain = RestraintOptions()
    assert (plain.night, plain.hour) == ((22, 7), 8)
    assert RestraintOptions(night_from=0, night_to=0, digest=False).night is None
    assert RestraintOptions(digest=False).hour is None
    with pytest.raises(ValidationError):
        RestraintOptions(digest_hour=24)
