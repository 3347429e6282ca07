"""Providers: submissions a second through each client beside bare aiohttp, and callbacks absorbed a second.

Every part is a process of its own. Never judges a figure.
"""

import shutil
import tempfile
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from benchmarks import stats
from benchmarks.child import ROOT, Child
from benchmarks.provider_answers import ANSWERS

Row = dict[str, Any]
Told = Callable[[str], None]
width = 32
"""Submissions at a time; a fire has three."""
lines = 64
"""Connections over which callbacks come."""
callbacks_per_s_max = 6_000
OURS, BARE, SERVICE, FLOOR = "ours", "bare aiohttp", "service", "floor"
RATIO_TARGET, RATE_TARGET, P99_TARGET = ">= 0.7", ">= 2,000", "< 200"
Cells = list[tuple[str, ...]]


def steps(rounds: int) -> int:
    """How often `told` is called."""
    return len(ANSWERS) * rounds + 2 * rounds


async def run(rounds: int, seconds: float, told: Told) -> Row:
    """`submissions`: one row per carrier, kind and round; `callbacks`: one row per kind and round."""
    return {
        "submissions": await _submissions(rounds, seconds, told),
        "callbacks": await _callbacks(rounds, seconds, told),
    }


async def _submissions(rounds: int, seconds: float, told: Told) -> list[Row]:
    rows: list[Row] = []
    async with AsyncExitStack() as stack:
        answers = await _child(stack, "answers", "benchmarks.provider_answers")
        clients = await _child(stack, "clients", "benchmarks.provider_clients")
        urls = {}
        for carrier in ANSWERS:
            port = (await answers.ask("open", carrier=carrier))["port"]
            urls[carrier] = f"http://127.0.0.1:{port}"
        for number in range(rounds):
            for carrier, url in urls.items():
                told(f"providers: round {number + 1}, {carrier}")
                words = {"carrier": carrier, "url": url, "seconds": seconds, "width": width}
                found = await clients.ask("ours", **words)
                sample = await answers.ask("sample", carrier=carrier)
                floor = await clients.ask("bare", sample=sample, **words)
                rows += [_row(carrier, OURS, found), _row(carrier, BARE, floor)]
    return rows


def _row(carrier: str, kind: str, found: Row) -> Row:
    """Of a CPU second, not of one on the wall: the client is one thread, and another program must not be judged too."""
    return {
        "carrier": carrier,
        "kind": kind,
        "per_s": stats.rate(found["good"], found["seconds"]),
        "per_cpu_s": stats.rate(found["good"], found["cpu"]),
        "bad": found["bad"],
    }


async def _callbacks(rounds: int, seconds: float, told: Told) -> list[Row]:
    rows: list[Row] = []
    (ROOT / ".run").mkdir(exist_ok=True)
    for number in range(rounds):
        folder = Path(tempfile.mkdtemp(prefix="bench-callbacks-", dir=ROOT / ".run"))
        try:
            for kind in (SERVICE, FLOOR):
                told(f"callbacks: round {number + 1}, {kind}")
                rows.append(await _absorbed(kind, folder, seconds))
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    return rows


async def _absorbed(kind: str, folder: Path, seconds: float) -> Row:
    count = round(seconds * callbacks_per_s_max)
    async with AsyncExitStack() as stack:
        side = await _child(stack, "side", "benchmarks.callback_side")
        load = await _child(stack, "load", "benchmarks.callback_load")
        if kind == SERVICE:
            begun = await side.ask("service", folder=str(folder), attempts=count)
        else:
            begun = await side.ask("floor") | {"attempts": [f"attempt{n:05d}"[-13:] for n in range(count)]}
        await load.ask("prepare", attempts=begun["attempts"])
        before = await side.ask("used")
        found = await load.ask("run", url=begun["url"], seconds=seconds, width=lines)
        cpu = (await side.ask("used"))["cpu"] - before["cpu"]
        stored = await side.ask("stored", count=found["count"]) if kind == SERVICE else {}
        await side.ask("stop")
    return {"kind": kind, "per_s": stats.rate(found["count"], found["seconds"]), "cpu": cpu, **found, **stored}


async def _child(stack: AsyncExitStack, name: str, module: str) -> Child:
    child = await Child.launch(name, module)
    stack.push_async_callback(child.stop)
    return child


def tables(result: Row) -> list[tuple[str, tuple[str, ...], tuple[tuple[str, ...], ...], str]]:
    """Titles, headers, cells, notes."""
    return [_submission_table(result["submissions"]), _callback_table(result["callbacks"])]


def _submission_table(rows: Sequence[Row]) -> tuple[str, tuple[str, ...], tuple[tuple[str, ...], ...], str]:
    cells: Cells = []
    for carrier in dict.fromkeys(row["carrier"] for row in rows):
        of_it = [row for row in rows if row["carrier"] == carrier]
        mine, floor = (_middle(of_it, kind, "per_cpu_s") for kind in (OURS, BARE))
        share = stats.ratio(mine, floor)
        bad = str(sum(row["bad"] for row in of_it))
        ratio = "-" if share is None else f"{share:.2f}"
        cells.append(
            (carrier, f"{_middle(of_it, OURS):,.0f}", f"{mine:,.0f}", f"{floor:,.0f}", ratio, RATIO_TARGET, bad)
        )
    headers = ("", "a second", "a CPU second", "bare aiohttp", "ratio", "target", "refused")
    rounds = sum(row["carrier"] == rows[0]["carrier"] and row["kind"] == OURS for row in rows)
    note = (
        f"{width} at a time against a fixed answer on loopback, medians of {rounds} alternated rounds. Bare aiohttp "
        "posts the same bytes; it signs, renders, encrypts and understands nothing. CPU: that of the client's process."
    )
    return "Submissions through each provider's client", headers, tuple(cells), note


def _callback_table(rows: Sequence[Row]) -> tuple[str, tuple[str, ...], tuple[tuple[str, ...], ...], str]:
    cells: Cells = []
    for kind in (SERVICE, FLOOR):
        mine = [row for row in rows if row["kind"] == kind and row["ms"]]
        if not mine:
            continue
        shares = [f"{stats.middle([row['ms'][share] for row in mine]):.1f}" for share in ("p50", "p99")]
        worst = f"{max(row['ms']['max'] for row in mine):.1f}"
        bad = sum(row["bad"] for row in mine)
        lost = sum(max(0, row["count"] - row["bad"] - row["rows"]) for row in mine) if kind == SERVICE else 0
        of_a_core = f"{stats.middle([stats.rate(row['count'], row['cpu']) for row in mine]):,.0f}"
        cells.append((kind, f"{_middle(rows, kind):,.0f}", of_a_core, *shares, worst, f"{bad} / {lost}"))
    cells.append(("target", RATE_TARGET, "", "", P99_TARGET, "", "0 / 0"))
    note = (
        f"Signed Twilio forms and Alibaba JSON by turns over {lines} lines, each for an attempt of its own; the "
        "service answers after its commit on SQLite and folds meanwhile. The floor: the same server answers 204 and "
        "stores nothing."
    )
    return (
        "Callbacks absorbed",
        ("", "a second", "a CPU second", "p50 ms", "p99 ms", "max ms", "refused / lost"),
        tuple(cells),
        note,
    )


def _middle(rows: Sequence[Row], kind: str, figure: str = "per_s") -> float:
    found = [row[figure] for row in rows if row["kind"] == kind]
    return stats.middle(found) if found else 0.0
