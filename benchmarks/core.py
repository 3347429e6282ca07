"""Decisions a second of the pure core on one core: signals, acts and due questions on a warm world. No I/O at all.

A decision is one signal folded, one act judged, or one due incident asked. The floor calls a function that builds one
frozen value as often: what Python itself costs.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from alerting.core.acts import Verb, act
from alerting.core.decisions import Note
from alerting.core.fold import fold
from alerting.core.model import Reason
from alerting.escalation import TABLE
from benchmarks import stats
from tests.unit.builders import (
    GRID_WORKER,
    a_registry,
    a_restoral,
    a_signal,
    a_world,
    an_actor,
    an_incident,
    at,
    pages_to,
)

Row = dict[str, Any]
MIX = "the mix"
FLOOR = "floor, one frozen value"
TARGET = ">= 50,000"
_batch = 50


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of decision. `share`: of every hundred in the mix."""

    name: str
    share: int
    decide: Callable[[], object]


def kinds() -> tuple[Kind, ...]:
    """A storm's hundred: mostly repeats and restorals of what is open, some new ones, and people in between."""
    incident = an_incident()
    pages = pages_to(GRID_WORKER)
    empty = a_world(a_registry())
    warm = a_world(a_registry(), incidents=[incident], paged={incident.id: pages})
    due = replace(warm, now=at(30))
    first, repeat, quiet = a_signal(), a_signal(), a_restoral()
    worker, console = an_actor(GRID_WORKER), an_actor()

    def asked(world: Any) -> object:
        return next(made for rule in TABLE.values() if (made := rule(incident, pages, world)) is not None)

    return (
        Kind("a repeat joins", 55, lambda: fold([repeat], warm)),
        Kind("a restoral", 15, lambda: fold([quiet], warm)),
        Kind("a first alarm opens and pages", 5, lambda: fold([first], empty)),
        Kind("asked, nothing due", 10, lambda: asked(warm)),
        Kind("asked, the next step is paged", 5, lambda: asked(due)),
        Kind("acknowledged", 5, lambda: act(incident, Verb.ACKNOWLEDGE, console, {}, pages, warm)),
        Kind("accepted, others are told", 5, lambda: act(incident, Verb.ACCEPT, worker, {}, pages, warm)),
    )


def run(rounds: int, seconds: float, told: Callable[[str], None]) -> list[Row]:
    """One row per round and kind, the mix and the floor among them, alternated."""
    named = kinds()
    hundred = [kind.decide for kind in named for _ in range(kind.share)]
    console = an_actor()
    floor: list[Callable[[], object]] = [lambda: Note("i-1", console, "", Reason.PERSON_ACTED)]
    measured = [(MIX, hundred), (FLOOR, floor), *((kind.name, [kind.decide]) for kind in named)]
    for _, deciders in measured:
        _per_second(deciders, 0.05)
    rows: list[Row] = []
    for number in range(rounds):
        told(f"core: round {number + 1}")
        for name, deciders in measured:
            share = seconds if name in (MIX, FLOOR) else seconds / len(named)
            rows.append({"kind": name, "per_s": _per_second(deciders, share)})
    return rows


def _per_second(deciders: list[Callable[[], object]], seconds: float) -> float:
    """By this process's CPU clock: what another program takes of the core is not in it."""
    done, since = 0, time.process_time()
    while (used := time.process_time() - since) < seconds:
        for decide in deciders * (_batch // len(deciders) + 1):
            decide()
        done += len(deciders) * (_batch // len(deciders) + 1)
    return stats.rate(done, used)


def table(rows: list[Row]) -> tuple[str, tuple[str, ...], tuple[tuple[str, ...], ...], str]:
    """Title, headers, cells, note."""
    names = list(dict.fromkeys(row["kind"] for row in rows))
    middles = {name: stats.middle([row["per_s"] for row in rows if row["kind"] == name]) for name in names}
    cells = []
    for name in names:
        ratio = stats.ratio(middles[FLOOR], middles[name])
        told = "" if name == FLOOR or ratio is None else f"{ratio:.1f}x"
        cells.append((name, f"{middles[name]:,.0f}", told, TARGET if name == MIX else ""))
    shares = ", ".join(f"{kind.share} % {kind.name}" for kind in kinds())
    rounds = sum(row["kind"] == MIX for row in rows)
    note = f"One core, by its CPU time; medians of {rounds} alternated rounds. The mix: {shares}."
    return "Decisions of the core a second", ("", "decisions/s", "slower than the floor", "target"), tuple(cells), note
