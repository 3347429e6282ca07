"""Very many seeds on all cores: `make soak SEEDS=1000000 START=0`. Says how far it is, stops at the first that breaks.

Of every fifty seeds one is a schedule of the whole service, the others are nights of the core. Never writes a file: to
go on after a stop, give START what the last line said.
"""

import argparse
import os
import sys
import time
from collections import Counter
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from multiprocessing import get_context

from alerting.core.states import TRANSITIONS
from tests.simulation.play import KINDS, NIGHT, SHELL, Pair, Played

seeds_default = 20_000
one_shell_in = 50
chunk = 50
suite_ends = 10_000
"""Below it the suite has played them already."""


def play_mixed(first: int, end: int) -> Played:
    """Seeds of both kinds, or up to the first that breaks."""
    played = Played()
    for seed in range(first, end):
        KINDS[SHELL if seed % one_shell_in == 0 else NIGHT](seed, played)
        if played.broken:
            break
    return played


def soak(start: int, seeds: int, workers: int) -> str:
    """What broke, or nothing."""
    began, done, incidents, crashes = time.monotonic(), 0, 0, 0
    seen: Counter[Pair] = Counter()
    starts = iter(range(start, start + seeds, chunk))
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        waiting: dict[Future[Played], int] = {}
        while True:
            while len(waiting) < 2 * workers and (first := next(starts, None)) is not None:
                waiting[pool.submit(play_mixed, first, min(first + chunk, start + seeds))] = first
            if not waiting:
                return _coverage(seen)
            for future in wait(waiting, return_when=FIRST_COMPLETED).done:
                del waiting[future]
                played = future.result()
                done, incidents, crashes = done + played.seeds, incidents + played.incidents, crashes + played.crashes
                seen.update(played.seen)
                _progress(start, done, seeds, incidents, crashes, time.monotonic() - began, waiting)
                if played.broken:
                    pool.shutdown(cancel_futures=True)
                    return played.broken


def _progress(
    start: int, done: int, seeds: int, incidents: int, crashes: int, took: float, waiting: dict[Future[Played], int]
) -> None:
    safe = min(waiting.values(), default=start + done)
    line = f"{done:,}/{seeds:,} seeds, {incidents:,} incidents, {crashes:,} crashes, {done / took:.1f}/s"
    end = "\r" if sys.stdout.isatty() else "\n"
    print(f"{line}; to go on: START={safe}", end=end, flush=True)


def _coverage(seen: Counter[Pair]) -> str:
    print()
    missing = [f"{work} {act}" for work, acts in TRANSITIONS.items() for act in acts if not seen[work, act]]
    wanted = sum(len(acts) for acts in TRANSITIONS.values())
    print(f"{wanted - len(missing)} of {wanted} pairs of the transition table happened", *missing, sep="\n  without: ")
    return ""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.soak", description=__doc__)
    parser.add_argument("--seeds", type=int, default=seeds_default)
    parser.add_argument("--start", type=int, default=suite_ends)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    arguments = parser.parse_args()
    broken = soak(arguments.start, arguments.seeds, arguments.workers)
    print(broken or "every law held")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
