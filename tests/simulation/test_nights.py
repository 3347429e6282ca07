"""Thousands of nights, each from a seed, under the laws of the core; the same seed is the same night.

The suite's nights are cut into chunks, a file each (`test_nights_*.py`), so that they run on all cores.
"""

import pytest

from alerting.core.states import TRANSITIONS
from tests.simulation.chunks import NIGHTS, REGRESSIONS, nights_of
from tests.simulation.night import Night
from tests.simulation.play import NIGHT, Played, play, play_night

pytestmark = pytest.mark.timeout(900)


def test_the_laws_hold_every_night_of_this_chunk() -> None:
    nights_of(0)


@pytest.mark.parametrize("seed", [0, 7, 42])
def test_the_same_seed_is_the_same_night(seed: int) -> None:
    first, second = Night(seed), Night(seed)
    first.run()
    second.run()
    assert first.ledger.trace == second.ledger.trace
    assert first.ledger == second.ledger
    assert first.digest == second.digest


def test_another_seed_is_another_night() -> None:
    assert play_night(1, Played()) != play_night(2, Played())


def test_every_pair_of_the_transition_table_happens() -> None:
    """Printed with `-s`: how often each pair of state and act came about, and that none is missing."""
    played = play(NIGHT, range(NIGHTS, NIGHTS + 1000))
    assert not played.broken, played.broken
    wanted = [(work, act) for work, acts in TRANSITIONS.items() for act in acts]
    for work, act in wanted:
        print(f"{work:>10} {act:<12} {played.seen[work, act]:6} nights")
    missing = [f"{work} {act}" for work, act in wanted if not played.seen[work, act]]
    assert not missing, f"never happened in {played.seeds} nights: {missing}"


@pytest.mark.parametrize(("seed", "why"), REGRESSIONS[NIGHT])
def test_a_night_that_once_failed(seed: int, why: str) -> None:
    played = play(NIGHT, range(seed, seed + 1))
    assert not played.broken, f"{why}\n{played.broken}"
