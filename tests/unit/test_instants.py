"""Moments on SQLite: text in UTC that sorts, and the same moment back, whatever clock wrote it."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.dialects import sqlite

from devices.store.types import Instant

CHINA = timezone(timedelta(hours=8))
dialect = sqlite.dialect()


def written(moment: datetime | None) -> str | None:
    process = Instant().bind_processor(dialect)
    assert process is not None
    text: str | None = process(moment)
    return text


def read(text: str | None) -> datetime | None:
    process = Instant().result_processor(dialect, None)
    assert process is not None
    moment: datetime | None = process(text)
    return moment


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (datetime(2026, 3, 4, 5, 6, 7, 89, UTC), "2026-03-04 05:06:07.000089"),
        (datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC), "2026-03-04 05:06:07.000000"),
        (datetime(2026, 3, 4, 5, 6, 7, tzinfo=CHINA), "2026-03-03 21:06:07.000000"),
        (None, None),
    ],
)
def test_a_moment_is_written_in_utc_and_read_back(moment: datetime | None, text: str | None) -> None:
    assert written(moment) == text
    assert read(text) == moment


def test_the_hour_that_comes_twice_in_autumn_is_written_twice() -> None:
    first = datetime(2026, 10, 25, 2, 30, tzinfo=ZoneInfo("Europe/Berlin"))
    second = first.replace(fold=1)
    assert first == second  # Python compares the hands of one clock
    assert [written(first), written(second)] == ["2026-10-25 00:30:00.000000", "2026-10-25 01:30:00.000000"]


def test_a_moment_without_a_zone_never_reaches_the_database() -> None:
    with pytest.raises(AssertionError, match="naive"):
        written(datetime(2026, 3, 4, 5, 6, 7))  # noqa: DTZ001
