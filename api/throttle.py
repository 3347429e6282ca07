"""How often somebody may guess: a few failures in a window, then he waits. Forgets the oldest beyond its limit."""

import ipaddress
import math
from collections import OrderedDict, deque
from collections.abc import Callable

failures_max = 5
window_s = 900.0
known_max = 10_000
network_bits = 64
"""Who has one IPv6 address has 2**64 of them."""


class Throttle:
    """Attempts per key. Each is counted before it is decided, so that many at once gain nothing."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._attempts: OrderedDict[str, deque[float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._attempts)

    def wait_s(self, key: str) -> int:
        """Seconds until the next attempt may be made; 0 for now."""
        times = self._attempts.get(key)
        if times is None:
            return 0
        now = self._monotonic()
        while times and times[0] <= now - window_s:
            times.popleft()
        if not times:
            del self._attempts[key]
        return math.ceil(times[0] + window_s - now) if len(times) >= failures_max else 0

    def count(self, key: str) -> None:
        """An attempt begins."""
        self._attempts.setdefault(key, deque(maxlen=failures_max)).append(self._monotonic())
        self._attempts.move_to_end(key)
        while len(self._attempts) > known_max:
            self._attempts.popitem(last=False)

    def give_back(self, key: str) -> None:
        """The attempt was no failure."""
        times = self._attempts.get(key)
        if times:
            times.pop()

    def clear(self, key: str) -> None:
        """He has shown who he is."""
        self._attempts.pop(key, None)


def network_of(address: str) -> str:
    """What one guesser holds: an IPv4 address, or an IPv6 network."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 6:
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, network_bits), strict=False))
    return str(parsed)
