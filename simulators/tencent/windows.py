"""How often Tencent lets one number be reached, when this is switched on. Counts what was taken, in China's time."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

china = timezone(timedelta(hours=8))
night_begins_h, night_ends_h = 22, 8
_half_minute, _ten_minutes = timedelta(seconds=30), timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Windows:
    """The figures of a new company account; each can be raised on request."""

    texts_a_day: int = 10
    calls_in_ten_minutes: int = 2
    calls_a_day: int = 5
    calls_a_night: int = 1


class Counted:
    """What each number has had."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._texts: dict[str, list[tuple[datetime, str]]] = {}
        self._calls: dict[str, list[datetime]] = {}

    def clear(self) -> None:
        """Forget all."""
        self._texts.clear()
        self._calls.clear()

    def text(self, number: str, words: str) -> None:
        """One text more."""
        self._texts.setdefault(number, []).append((self._clock(), words))

    def call(self, number: str) -> None:
        """One call more."""
        self._calls.setdefault(number, []).append(self._clock())

    def text_problem(self, number: str, words: str, windows: Windows) -> str | None:
        """The code with which a text to this number is refused now."""
        now = self._clock()
        sent = self._texts.get(number, [])
        if any(said == words and now - at < _half_minute for at, said in sent):
            return "LimitExceeded.PhoneNumberThirtySecondLimit"
        today = now.astimezone(china).date()
        if sum(at.astimezone(china).date() == today for at, _ in sent) >= windows.texts_a_day:
            return "LimitExceeded.PhoneNumberDailyLimit"
        return None

    def call_problem(self, number: str, windows: Windows) -> str | None:
        """The code with which a call to this number is refused now."""
        now = self._clock()
        calls = self._calls.get(number, [])
        today, night = now.astimezone(china).date(), _night(now)
        spent = (
            any(now - at < _half_minute for at in calls)
            or sum(now - at < _ten_minutes for at in calls) >= windows.calls_in_ten_minutes
            or sum(at.astimezone(china).date() == today for at in calls) >= windows.calls_a_day
            or (night is not None and sum(_night(at) == night for at in calls) >= windows.calls_a_night)
        )
        return "LimitExceeded.DeliveryFrequencyLimit" if spent else None


def _night(at: datetime) -> datetime | None:
    """The evening on which the night of this moment began; None by day."""
    local = at.astimezone(china)
    if night_ends_h <= local.hour < night_begins_h:
        return None
    evening = local if local.hour >= night_begins_h else local - timedelta(days=1)
    return evening.replace(hour=night_begins_h, minute=0, second=0, microsecond=0)
