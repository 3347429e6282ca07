"""Limits per called number, as Alibaba keeps them: by minute, hour and day; each submit counts. Never reads a clock."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

_words = ((60.0, "分钟"), (3_600.0, "小时"), (86_400.0, "天"))


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `most` in `seconds`."""

    most: int
    seconds: float

    @property
    def message(self) -> str:
        """Alibaba's words."""
        word = next((word for seconds, word in _words if self.seconds <= seconds), "天")
        return f"触发{word}级流控Permits:{self.most}"


class Limits:
    """What was asked of each key (a number, or number and template)."""

    def __init__(self, limits: Sequence[Limit]) -> None:
        self.limits = tuple(limits)
        self._asked: dict[str, deque[float]] = {}

    def clear(self) -> None:
        """Forget all."""
        self._asked.clear()

    def last(self, key: str) -> float | None:
        """When this was asked last."""
        asked = self._asked.get(key)
        return asked[-1] if asked else None

    def ask(self, key: str, now: float) -> Limit | None:
        """Count one submit; the limit that it breaks, if any. A refused one counts too."""
        asked = self._asked.setdefault(key, deque(maxlen=1_000))
        broken = next(
            (limit for limit in self.limits if sum(now - at < limit.seconds for at in asked) >= limit.most), None
        )
        asked.append(now)
        return broken
