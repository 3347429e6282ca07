"""Fresh ids for virtual time: drawn from the seed, in the order of the world (`alerting.ports.Ids`)."""

import random
from itertools import count

from gengfu.clock import REFERENCE_ALPHABET, REFERENCE_CHARS


class SeededIds:
    """Outlives a crash, as the machine's randomness does: nothing is drawn twice."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self._numbers = count(1)

    def uuid7(self) -> str:
        return f"{next(self._numbers):012x}-{self._dice.getrandbits(32):08x}"

    def attempt(self) -> str:
        return f"a{next(self._numbers):012x}"

    def reference(self) -> str:
        return "".join(self._dice.choices(REFERENCE_ALPHABET, k=REFERENCE_CHARS))
