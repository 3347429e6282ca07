"""Bugs to plant: each one edit to shipped code, made in a copy of the sources. Changes no file of ours.

A change of the service throws other dice, so a seed that caught a rare one may catch it no more. Which seed does now:

python -m tests.simulation.planted "slow call"
"""

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from tests.simulation.play import NIGHT, SHELL

ROOT = Path(__file__).parents[2].resolve()
PACKAGES = ("alerting", "api", "devices", "gateway", "gengfu", "simulators", "tests")
seconds_max = 110.0


@dataclass(frozen=True, slots=True)
class Planted:
    """`old` becomes `new` in `path`; a law breaks within `seeds` of `kind`, in words that hold `broken`."""

    name: str
    path: str
    old: str
    new: str
    kind: str
    seeds: range
    broken: str


BUGS = (
    Planted(
        "a due time is skipped",
        "alerting/store/incidents.py",
        '_OPEN.where(incidents.c.due_at <= bindparam("now")),',
        '_OPEN.where(incidents.c.due_at <= bindparam("now"), incidents.c.step < 2),',
        SHELL,
        range(0, 12),
        "a due time passed",
    ),
    Planted(
        "an acknowledgement stops the ladder",
        "alerting/core/verbs_going.py",
        "[Acknowledge(incident.id, actor, Reason.PERSON_ACTED, until)]",
        "[Acknowledge(incident.id, actor, Reason.PERSON_ACTED, until), "
        "SetLadder(incident.id, incident.round, incident.step, until, Reason.UNANSWERED)]",
        NIGHT,
        range(0, 60),
        "more than its axis",
    ),
    Planted(
        "a step is forgotten",
        "alerting/core/ladder.py",
        "for number in range(index, len(steps)):",
        "for number in range(index + (index == 1), len(steps)):",
        SHELL,
        range(0, 12),
        "were left out",
    ),
    Planted(
        "nobody is told that it spreads",
        "alerting/core/joining.py",
        "asked = ask_again(known, told, world, paged, why)",
        "asked = [each for each in ask_again(known, told, world, paged, why) if type(each).__name__ != 'Notify']",
        SHELL,
        range(0, 12),
        "nobody",
    ),
    Planted(
        "a voicemail that completed takes it",
        "alerting/inbox.py",
        "humans=humans,",
        "humans=humans"
        " + [(row.id, KeyPress(each.attempt_id, '1')) for row, each in receipts if each.kind.value == 'completed'],",
        SHELL,
        range(0, 12),
        "who never said so",
    ),
    Planted(
        "whether a phone has a call already is not looked at",
        "alerting/waiting.py",
        "if line is not None and line.attempt_id != submission.attempt_id:",
        "if line is not None and line.attempt_id == submission.attempt_id:",
        SHELL,
        range(1, 3),
        "two calls at once",
    ),
    Planted(
        "a slow call has a second one like a slow text",
        "alerting/hedging.py",
        "if flight.submission.channel is Channel.VOICE:",
        "if flight.submission.channel is Channel.APP:",
        SHELL,
        range(33, 34),
        "two calls at once",
    ),
    Planted(
        "nothing says why a second carrier has it",
        "alerting/onward.py",
        "further(claimed, TryReason.HEDGE, choice.provider, now, None)",
        "further(claimed, TryReason.FIRST, choice.provider, now, None)",
        SHELL,
        range(39, 40),
        "and says first",
    ),
    Planted(
        "somebody off duty is called",
        "devices/duty/standing.py",
        "if shift.role is role and shift.covers(now)",
        "if shift.role is role",
        SHELL,
        range(4, 14),
        "is not on duty",
    ),
    Planted(
        "a promise to go never expires",
        "alerting/escalation/taken_expired.py",
        "work = move(incident, Act.EXPIRE)",
        "return []\n    work = move(incident, Act.EXPIRE)",
        SHELL,
        range(0, 24),
        "a due time passed",
    ),
)


def planted(folder: Path, bug: Planted) -> None:
    """A tree in `folder` that is ours but for the one edit. The text to edit must be there, once."""
    touched = bug.path.partition("/")[0]
    for package in PACKAGES:
        if package == touched:
            shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            (folder / package).symlink_to(ROOT / package, target_is_directory=True)
    source = folder / bug.path
    text = source.read_text(encoding="utf-8")
    assert text.count(bug.old) == 1, f"{bug.path} no longer says: {bug.old}"
    source.write_text(text.replace(bug.old, bug.new), encoding="utf-8")


def played(folder: Path, bug: Planted) -> subprocess.CompletedProcess[str]:
    """The simulation on that tree, in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "tests.simulation.play", bug.kind, f"{bug.seeds.start}:{bug.seeds.stop}"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=seconds_max,
    )


def catching(bug: Planted, seeds: range) -> int | None:
    """The first of these seeds that catches it."""
    with tempfile.TemporaryDirectory() as folder:
        planted(Path(folder), bug)
        for seed in seeds:
            found = played(Path(folder), replace(bug, seeds=range(seed, seed + 1)))
            print(f"\r{bug.name}: seed {seed} of {seeds.stop}", end="", file=sys.stderr, flush=True)
            if found.returncode == 1 and bug.broken in found.stdout:
                return seed
    return None


if __name__ == "__main__":
    for each in BUGS:
        if any(word in each.name for word in sys.argv[1:]):
            print(f"\n{each.name}: {catching(each, range(100))}")
