"""The judge judged: each of these edits to shipped code breaks a law within a few seeds."""

from pathlib import Path

import pytest

from tests.simulation.planted import BUGS, Planted, planted, played


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_a_planted_bug_is_caught(tmp_path: Path, bug: Planted) -> None:
    planted(tmp_path, bug)
    told = played(tmp_path, bug)
    assert told.returncode == 1, f"{bug.name}: not caught by {bug.kind} {bug.seeds}\n{told.stdout}{told.stderr}"
    assert bug.broken in told.stdout, told.stdout
    assert f"again: python -m tests.simulation.play {bug.kind}" in told.stdout
