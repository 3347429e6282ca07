"""Plays seeds of either kind and says what broke, with the one command that plays it again. Never writes a file.

python -m tests.simulation.play shell 7        one schedule of the whole service
python -m tests.simulation.play night 0:500    five hundred nights of the core
"""

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from alerting.core.model import Work
from alerting.core.states import Act
from tests.simulation.night import Night
from tests.simulation.schedule import Schedule

SHELL, NIGHT = "shell", "night"
Pair = tuple[Work, Act]


@dataclass(slots=True)
class Played:
    """What came of some seeds; `broken` names the first seed that broke a law."""

    seeds: int = 0
    incidents: int = 0
    crashes: int = 0
    seen: Counter[Pair] = field(default_factory=Counter)
    broken: str = ""


def play_shell(seed: int, played: Played) -> str:
    """One schedule; its digest. A broken law is kept in `played.broken`."""
    schedule = Schedule(seed)
    try:
        schedule.run()
    except Exception as fault:  # noqa: BLE001 - whatever breaks, its seed must be told
        played.broken = _told(SHELL, seed, fault, schedule.tail)
    else:
        played.incidents += len(schedule.judge.standing)
        played.crashes += schedule.crashes
        played.seen.update(schedule.truth.seen)
    played.seeds += 1
    return schedule.digest


def play_night(seed: int, played: Played) -> str:
    """One night; its digest. A broken law is kept in `played.broken`."""
    night = Night(seed)
    try:
        night.run()
    except Exception as fault:  # noqa: BLE001 - whatever breaks, its seed must be told
        played.broken = _told(NIGHT, seed, fault, night.tail())
    else:
        played.incidents += len(night.ledger.incidents)
        played.seen.update(night.seen)
    played.seeds += 1
    return night.digest


KINDS: dict[str, Callable[[int, Played], str]] = {SHELL: play_shell, NIGHT: play_night}


def play(kind: str, seeds: range) -> Played:
    """All of them, or up to the first that breaks."""
    played = Played()
    for seed in seeds:
        KINDS[kind](seed, played)
        if played.broken:
            break
    return played


def _told(kind: str, seed: int, fault: BaseException, tail: Iterable[str]) -> str:
    lines = "\n".join(f"    {line}" for line in tail)
    again = f"python -m tests.simulation.play {kind} {seed}"
    return f"{kind} {seed}: {type(fault).__name__}: {fault}\n{lines}\n  again: {again}"


def main(words: list[str]) -> int:
    kind, text = words
    first, _, end = text.partition(":")
    seeds = range(int(first), int(end) if end else int(first) + 1)
    started = time.perf_counter()
    played = play(kind, seeds)
    took = time.perf_counter() - started
    print(f"{played.seeds} x {kind}: {played.incidents} incidents, {played.crashes} crashes, {took:.1f} s")
    print(played.broken or "every law held")
    return 1 if played.broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
