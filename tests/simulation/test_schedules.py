"""Whole schedules: the shipped service, outbox, timers and stores in virtual time, with crashes."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulation.chunks import REGRESSIONS, shells_of
from tests.simulation.play import SHELL, Played, play, play_shell
from tests.simulation.schedule import Schedule

ROOT = Path(__file__).resolve().parents[2]
quiet_seed = 5

pytestmark = pytest.mark.timeout(900)


def test_the_laws_hold_in_the_whole_service() -> None:
    shells_of(0)


def test_the_same_seed_is_the_same_schedule_also_in_another_process() -> None:
    """Nothing hangs on the order of a set of texts, or on whatever ran before."""
    code = f"from tests.simulation.play import *; p = Played(); print(play_shell({quiet_seed}, p), p.broken)"
    told = {
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env={"PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for hash_seed in ("1", "2")
    }
    assert told == {play_shell(quiet_seed, Played())}


def test_what_saves_time_changes_nothing() -> None:
    """The pollers' empty questions, asked every time and only when the answer can have changed: the same night."""
    digests = set()
    for hurries in (False, True):
        schedule = Schedule(quiet_seed, leaps=False, hurries=hurries)
        schedule.run()
        digests.add(schedule.digest)
    assert len(digests) == 1


@pytest.mark.parametrize(("seed", "why"), REGRESSIONS[SHELL])
def test_a_schedule_that_once_failed(seed: int, why: str) -> None:
    played = play(SHELL, range(seed, seed + 1))
    assert not played.broken, f"{why}\n{played.broken}"
