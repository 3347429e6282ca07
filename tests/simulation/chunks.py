"""How many seeds of each kind the suite plays, cut into chunks; and the seeds that once failed."""

import pytest

from tests.simulation.play import NIGHT, SHELL, play

NIGHTS = 9_960
SHELLS = 60
CHUNKS = 6

REGRESSIONS: dict[str, list[tuple[int, str]]] = {
    SHELL: [
        (3, "the wall clock set back and then a restart: everything due waited for an hour"),
        (
            59,
            "a shelf, the clock set back, a restart: its due time moved and its end did not; asked in vain. Later: "
            "a call begun in what had become the future kept its phone for an hour",
        ),
        (29, "the clock set back before a restart, then a little forward: what was written before came early by that"),
        (18, "the clock set back by a minute and a half, a crash, and due times that moved without a new version"),
    ],
    NIGHT: [
        (4, "the control room asks the next step while somebody goes: help for him is not `asked to go in vain`"),
    ],
}
"""Every seed that ever failed, with what it found. Seeds keep their meaning only while the dice are thrown alike; what
was found is kept by the sentence, and by a test of its own where the code was wrong."""


def nights_of(chunk: int) -> None:
    """Play one chunk of nights; every one keeps every law, and they are not too quiet."""
    seeds = range(NIGHTS * chunk // CHUNKS, NIGHTS * (chunk + 1) // CHUNKS)
    played = play(NIGHT, seeds)
    if played.broken:
        pytest.fail(played.broken)
    assert played.seeds == len(seeds)
    assert played.incidents >= 5 * len(seeds), "the nights are too quiet to prove anything"


def shells_of(chunk: int) -> None:
    """Play one chunk of schedules of the whole service."""
    seeds = range(SHELLS * chunk // CHUNKS, SHELLS * (chunk + 1) // CHUNKS)
    played = play(SHELL, seeds)
    if played.broken:
        pytest.fail(played.broken)
    assert played.seeds == len(seeds)
    assert played.incidents >= 5 * len(seeds)
    assert played.crashes, "no crash in a whole chunk"
