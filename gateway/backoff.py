"""How long to wait before the next try: exponential with full jitter. Pure but for the random source it is given."""

from collections.abc import Callable


class Backoff:
    """Delays in seconds: a random share of `first * 2**n`, at most `ceiling`.

    Full jitter (each delay between zero and the bound) spreads many gateways that lost one broker at the same instant.
    """

    def __init__(self, first_seconds: float, ceiling_seconds: float, random: Callable[[], float]) -> None:
        self._first = first_seconds
        self._ceiling = ceiling_seconds
        self._random = random
        self._bound = first_seconds

    def next_delay(self) -> float:
        bound = self._bound
        self._bound = min(self._ceiling, bound * 2)
        return self._random() * bound

    def reset(self) -> None:
        self._bound = self._first
