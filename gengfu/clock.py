"""The clock and the dice: the only file that reads the time and draws randomness. Never decides anything with them."""

import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from struct import Struct

REFERENCE_ALPHABET = "ACDEFHJKLMNPRTVWXY23456789"
"""Neither I O Q (1, 0) nor B G S U Z (8, 6, 5, V, 2): one of each look-alike pair, so that it survives a phone call."""
REFERENCE_CHARS = 5
_REFERENCES = len(REFERENCE_ALPHABET) ** REFERENCE_CHARS

_DRAWN_WORDS = 512
_DRAW = Struct(f"={_DRAWN_WORDS}Q")
_BASE32 = "abcdefghijklmnopqrstuvwxyz234567"
_PAIRS = tuple(first + second for first in _BASE32 for second in _BASE32)
_PAIR_SHIFTS = (54, 44, 34, 24, 14, 4)
"""Of 64 bits: six pairs of ten bits each, and four bits more."""
_NS_PER_MS = 1_000_000
_RANDOM_62 = (1 << 62) - 1

backwards_max = timedelta(seconds=0.5)
"""NTP slews and the clocks' own noise are followed; more than this at once is somebody setting the clock."""


forwards_max = timedelta(seconds=0.5)


class SystemClock:
    """The machine's clocks (`alerting.ports.Clock`)."""

    def now(self) -> datetime:
        return datetime.now(UTC)  # noqa: TID251 - the one place

    def monotonic(self) -> float:
        return time.monotonic()

    def slept(self) -> float:
        """Seconds that the machine was suspended: they pass for everybody, and the monotonic clock leaves them out."""
        if _BOOTTIME is None:
            return 0.0
        return round(time.clock_gettime(_BOOTTIME) - time.monotonic(), 2)


_BOOTTIME: int | None = getattr(time, "CLOCK_BOOTTIME", None)


class ForwardClock(SystemClock):
    """A clock for which a minute is a minute, whatever is done to the machine's (`alerting.ports.SteadyClock`).

    Set back, it goes on from where it was: were it to run backwards, everything due would wait until it had caught up.
    Set forward, it goes on too, until `follow`: whoever looks after due times, which are rows in wall time, first moves
    them on by as much (`jumped`). So nothing comes late, and nothing early.
    """

    def __init__(self, clock: SystemClock) -> None:
        self._clock = clock
        self._anchor = clock.now()
        self._anchor_at = self._elapsed()

    def now(self) -> datetime:
        wall, steady, elapsed = self._read()
        if -backwards_max <= wall - steady <= forwards_max:
            self._anchor, self._anchor_at = wall, elapsed
            return wall
        return steady

    def monotonic(self) -> float:
        return self._clock.monotonic()

    def jumped(self) -> timedelta:
        """How far the machine's clock was set forward, and this one has not followed; zero when it was not."""
        wall, steady, _ = self._read()
        return wall - steady if wall - steady > forwards_max else timedelta()

    def follow(self, by: timedelta) -> None:
        """From now on so much later."""
        self._anchor += by

    def _read(self) -> tuple[datetime, datetime, float]:
        elapsed = self._elapsed()
        return self._clock.now(), self._anchor + timedelta(seconds=elapsed - self._anchor_at), elapsed

    def _elapsed(self) -> float:
        return self._clock.monotonic() + self._clock.slept()


class RandomIds:
    """Fresh ids from the operating system's randomness (`alerting.ports.Ids`). Safe across threads and forks."""

    def __init__(self) -> None:
        self._words: Iterator[int] = iter(())
        self._pid = 0
        self._last_tick = 0

    def _word(self) -> int:
        """64 random bits, drawn 4 KiB at a time; a forked child draws its own."""
        if self._pid == os.getpid():
            word = next(self._words, None)
            if word is not None:
                return word
        words: Iterator[int] = iter(_DRAW.unpack(os.urandom(_DRAW.size)))
        word = next(words)
        self._words = words
        self._pid = os.getpid()
        return word

    def uuid7(self) -> str:
        """UUIDv7 text (RFC 9562 section 5.7; 12 sub-millisecond bits by its method 3). Grows within one process."""
        ms, ns = divmod(time.time_ns(), _NS_PER_MS)
        tick = ms << 12 | (ns << 12) // _NS_PER_MS
        if tick <= self._last_tick:
            tick = self._last_tick + 1
        self._last_tick = tick
        high = (tick & ~0xFFF) << 4 | 0x7000 | tick & 0xFFF
        digits = f"{high:016x}{1 << 63 | self._word() & _RANDOM_62:016x}"
        return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"

    def attempt(self) -> str:
        """64 random bits as 13 lowercase base32 characters (RFC 4648 alphabet)."""
        word = self._word()
        return "".join([_PAIRS[word >> shift & 0x3FF] for shift in _PAIR_SHIFTS]) + _BASE32[(word & 0xF) << 1]

    def reference(self) -> str:
        """Five characters of `REFERENCE_ALPHABET`: 11.8 million references. Not unique by itself."""
        number = self._word() % _REFERENCES
        chars = []
        for _ in range(REFERENCE_CHARS):
            number, index = divmod(number, len(REFERENCE_ALPHABET))
            chars.append(REFERENCE_ALPHABET[index])
        return "".join(chars)

    def fraction(self) -> float:
        """Uniform in [0, 1), for the jitter of repeats."""
        return (self._word() >> 11) / (1 << 53)
