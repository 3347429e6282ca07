"""Hundreds of nights, each from a seed, under the laws of the core; the same seed is the same night."""

import pytest

from tests.simulation.night import Night

nights = 300
nights_soak = 20_000


def played(seed: int) -> Night:
    """Play one night; a broken law names its seed."""
    night = Night(seed)
    try:
        night.run()
    except AssertionError as broken:
        last = "\n".join(f"  {at:%H:%M:%S} {cause}: {what[:200]}" for at, cause, what in night.ledger.trace[-12:])
        pytest.fail(f"seed {seed}: {broken}\n{last}")
    return night


def test_the_laws_hold_every_night() -> None:
    opened = accepted = refused = 0
    for seed in range(nights):
        night = played(seed)
        opened += len(night.ledger.incidents)
        accepted += night.accepted
        refused += night.refused
    assert opened > 2 * nights, "the nights are too quiet to prove anything"
    assert accepted > nights / 2
    assert refused > nights / 10


@pytest.mark.parametrize("seed", [0, 7, 42])
def test_the_same_seed_is_the_same_night(seed: int) -> None:
    first, second = played(seed).ledger, played(seed).ledger
    assert first.trace == second.trace
    assert first == second


def test_another_seed_is_another_night() -> None:
    assert played(1).ledger.trace != played(2).ledger.trace


@pytest.mark.soak
def test_the_laws_hold_for_very_many_nights() -> None:
    for seed in range(nights, nights_soak):
        played(seed)
