"""How late a due time is met with ten thousand open incidents: shipped ticker, service and outbox on SQLite, until a
loop-back provider has the page. Beside it, on the same moments, a bare heap of timers that does nothing.
"""

import asyncio
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import timedelta
from heapq import heapify, heappop
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from alerting.channels.base import Accepted, NotFound, Submission, Submitted, Unknown
from alerting.channels.modest import Modest
from alerting.core.model import Loop, Settings
from alerting.metrics import NoMetrics
from alerting.ports import Priority
from alerting.service import Service
from alerting.store import boots, incidents
from alerting.stream import Hub
from alerting.writing import Outbox
from benchmarks import stats
from benchmarks.child import ROOT
from devices.model import Channel, Language, PersonKind, Role, Shift
from devices.store import people, shifts
from devices.store.people import ContactRow, PersonRow
from devices.store.shifts import ShiftRow
from gengfu.clock import ForwardClock, RandomIds, SystemClock
from gengfu.database import RunningDatabase, open_database
from tests.simulation.town import template
from tests.unit.builders import a_policy, a_step, an_incident

Row = dict[str, Any]
SERVICE, FLOOR = "service, SQLite", "floor, a heap of timers"
lead_s = 4.0
"""Between the start and the first due time."""
far_s = 7_200.0
"""Those that are open and not due in this round."""
_WORKER = "worker-1"


class Loopback(Modest):
    """Takes every page at once, and keeps when."""

    channel = Channel.APP
    name = "loopback"

    def __init__(self) -> None:
        self.arrived: dict[str, float] = {}

    async def submit(self, submission: Submission, deadline_s: float) -> Submitted:
        self.arrived.setdefault(submission.incident_id, time.monotonic())
        return Accepted(submission.attempt_id)

    async def reconcile(self, submission: Submission, provider_ref: str | None) -> Accepted | NotFound | Unknown:
        return Accepted(submission.attempt_id)


async def run(open_: int, per_s: int, seconds: float, rounds: int, told: Callable[[str], None]) -> list[Row]:
    """One row per round: the service, then the floor on the same moments."""
    rows: list[Row] = []
    offsets = [lead_s + number / per_s for number in range(min(open_, round(per_s * seconds)))]
    for number in range(rounds):
        for kind, measure in ((SERVICE, _service), (FLOOR, _floor)):
            told(f"lateness: round {number + 1}, {kind}")
            late, missing = await measure(open_, offsets)
            found = stats.summary(late)
            rows.append({"kind": kind, "open": open_, "ms": asdict(found) if found else None, "missing": missing})
    return rows


async def _service(open_: int, offsets: list[float]) -> tuple[list[float], int]:
    (ROOT / ".run").mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="lateness-", dir=ROOT / ".run"))
    path = folder / "gengfu.db"
    kept = sqlite3.connect(path)
    template().backup(kept)
    kept.close()
    database = open_database(f"sqlite+aiosqlite:///{path}", monotonic=time.monotonic)
    try:
        return await _measured(database, open_, offsets)
    finally:
        await database.close()
        shutil.rmtree(folder, ignore_errors=True)


async def _measured(database: RunningDatabase, open_: int, offsets: list[float]) -> tuple[list[float], int]:
    clock, ids, provider = ForwardClock(SystemClock()), RandomIds(), Loopback()
    boot = await database.write(Priority.ADMINISTRATION, lambda conn: boots.begin(conn, clock.now(), "benchmark"))
    service = Service(
        database=database,
        providers={Channel.APP: provider},
        hub=Hub(ids.uuid7),
        clock=clock,
        ids=ids,
        settings=Settings(),
        metrics=NoMetrics(),
        outbox=Outbox(boot, {Channel.APP: provider.name}),
    )
    moments = await database.write(Priority.ADMINISTRATION, lambda conn: _fill(conn, clock, open_, offsets))
    await service.start()
    await asyncio.sleep(max(moments.values()) - time.monotonic() + 3.0)
    await service.stop()
    late = [provider.arrived[key] - moment for key, moment in moments.items() if key in provider.arrived]
    return late, len(moments) - len(late)


def _fill(conn: Connection, clock: ForwardClock, open_: int, offsets: list[float]) -> dict[str, float]:
    """Ten thousand fires of as many buildings, one worker; when each is due, on the monotonic clock."""
    person = PersonRow(_WORKER, PersonKind.WORKER, _WORKER, "网格员甲", "Grid worker A", Language.ZH_CN, None)
    people.insert_many(conn, [person])
    people.add_contacts(conn, [ContactRow("c-1", _WORKER, Channel.APP, _WORKER, verified_at=clock.now())])
    shifts.insert_many(conn, [ShiftRow(Shift("s-1", Role.CONTROL_ROOM, _WORKER, None, None, None, None))])
    step = a_step(0, Role.CONTROL_ROOM, channels=(Channel.APP,))
    policy = a_policy(step, loop=Loop(3600, (Role.CONTROL_ROOM,)))
    fire = an_incident(policy=policy, place_id="b1f1r1", grid_id=None, device_id="smoke-b1f1r1")
    now, mono = clock.now(), time.monotonic()
    rows, moments = [], {}
    for number in range(open_):
        after = offsets[number] if number < len(offsets) else far_s
        key = f"i-{number:06}"
        rows.append(
            replace(
                fire,
                id=key,
                dedup_key=f"v1:fire:building-{number}",
                opened_at=now,
                due_at=now + timedelta(seconds=after),
            )
        )
        if number < len(offsets):
            moments[key] = mono + after
    incidents.insert(conn, rows)
    return moments


async def _floor(open_: int, offsets: list[float]) -> tuple[list[float], int]:
    began = time.monotonic()
    heap = [began + after for after in offsets] + [began + far_s] * (open_ - len(offsets))
    heapify(heap)
    late: list[float] = []
    while len(late) < len(offsets):
        await asyncio.sleep(max(0.0, heap[0] - time.monotonic()))
        while heap[0] <= time.monotonic():
            late.append(time.monotonic() - heappop(heap))
    return late, 0


def table(rows: list[Row]) -> tuple[str, tuple[str, ...], tuple[tuple[str, ...], ...], str]:
    """Title, headers, cells, note."""
    cells: list[tuple[str, ...]] = []
    for kind in (SERVICE, FLOOR):
        of_kind = [row for row in rows if row["kind"] == kind and row["ms"]]
        if of_kind:
            shares = [stats.middle([row["ms"][share] for row in of_kind]) for share in ("p50", "p99", "p999")]
            worst = max(row["ms"]["max"] for row in of_kind)
            missing = str(sum(row["missing"] for row in of_kind))
            cells.append((kind, *(f"{value:.1f}" for value in (*shares, worst)), missing))
    cells.append(("target", "", "", "<= 250", "", "0"))
    first = rows[0]
    count = first["ms"]["count"] if first["ms"] else 0
    note = f"{first['open']:,} open incidents, {count:,} due within a round, each paged; until the provider has it."
    headers = ("", "p50", "p99", "p99.9", "max", "never")
    return "Lateness of due times with ten thousand open incidents, ms", headers, tuple(cells), note
