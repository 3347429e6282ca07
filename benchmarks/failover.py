"""Failover: from a fire's publication to the first carrier that has text and call, while one carrier is in trouble.

Beside it, in the same run, the same fires without any fault. Broker, service and carriers are processes of their own.
"""

import asyncio
import os
import random
import secrets
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

import msgspec

from benchmarks import stats
from benchmarks.child import ROOT, Answer, Child
from benchmarks.databases import SQLITE, Databases
from benchmarks.failover_cases import SCENES, SOUND, Scene, fires, label, numbers_max, of_case
from benchmarks.numbering import device_id
from gengfu.broker.child import HOST, MosquittoChild
from gengfu.broker.files import SERVICE_USERNAME, Account, hash_password
from gengfu.clock import SystemClock
from simulators.city_generator import generate_city
from simulators.event_ids import event_id_at
from simulators.wire import Wire

Row = dict[str, Any]
Told = Callable[[str], None]
Cells = list[tuple[str, ...]]
CHANNELS = ("sms", "voice")
SHARES = ("p50", "p99", "max")
P99_TARGET = "<= 3000"
parts = 10
"""How often the progress bar moves while one scene's fires burn."""
settle_s_min = 4.0
"""After the last fire: longer than any failover that is in time."""
settle_s_max = 45.0
blink_s = 0.5
"""A call that its carrier took after seconds of silence, beside another one, is hung up as soon as it is told of."""
_now = SystemClock().now


def steps() -> int:
    """How often `told` is called."""
    return (parts + 2) * len(SCENES)


async def run(each: int, told: Told, scenes: Sequence[Scene] = SCENES) -> Row:
    """`each`: fires per fault. `rows`: one per fault, and one per mixed scene for the fires without any."""
    before, at = os.getloadavg()[0], _now().isoformat(timespec="seconds")
    rows: list[Row] = []
    async with AsyncExitStack() as stack:
        ground = await _Ground.laid(stack, numbers_max(scenes, each))
        for scene in scenes:
            rows += await _Burning(ground, scene, each, told).run()
    return {"at": at, "rows": rows, "load": [before, os.getloadavg()[0]]}


class _Ground:
    """What all scenes stand on."""

    databases: Databases
    wire: Wire
    broker: Answer
    folder: Path
    carriers: Child
    side: Child

    @classmethod
    async def laid(cls, stack: AsyncExitStack, numbers: int) -> "_Ground":
        ground = cls()
        (ROOT / ".run").mkdir(exist_ok=True)
        ground.folder = Path(tempfile.mkdtemp(prefix="failover-", dir=ROOT / ".run"))
        stack.callback(shutil.rmtree, ground.folder, ignore_errors=True)
        secret = secrets.token_urlsafe(16)
        service = Account(SERVICE_USERNAME, hash_password(secret))
        broker = await MosquittoChild.launch(ground.folder / "broker", service=service)
        stack.push_async_callback(broker.stop)
        ground.broker = {"host": broker.host, "port": broker.port, "username": SERVICE_USERNAME, "password": secret}
        ground.wire = Wire()
        await ground.wire.connect(broker.host, broker.port, "failover-alarms", SERVICE_USERNAME, secret)
        stack.push_async_callback(ground.wire.close)
        city = await asyncio.to_thread(generate_city, numbers, numbers, numbers)
        ground.databases = Databases(ground.folder, secrets.token_urlsafe(32), city, ())
        ground.carriers = await _child(stack, "carriers", "benchmarks.failover_carriers")
        ground.side = await _child(stack, "service", "benchmarks.failover_side")
        return ground


class _Burning:
    """One scene: a service with a database of its own, and two fresh carriers."""

    def __init__(self, ground: _Ground, scene: Scene, each: int, told: Told) -> None:
        self._ground = ground
        self._scene = scene
        self._fires = fires(scene, each)
        self._told = told

    async def run(self) -> list[Row]:
        names = ", ".join(case.name for case in self._scene.cases[:2])
        self._told(f"failover: {names} ...")
        carriers, side = self._ground.carriers, self._ground.side
        await self._start(carriers, side)
        published = await self._publish()
        self._told("failover: unknowns settle")
        unsettled = await self._settle(side, published)
        books, known = await carriers.ask("books"), await side.ask("known")
        await side.ask("stop")
        await carriers.ask("close")
        return self._rows(published, books, known, unsettled)

    async def _start(self, carriers: Child, side: Child) -> None:
        port = (await side.ask("port"))["port"]
        words = {"first": self._scene.first, "public_url": f"http://{HOST}:{port}"}
        urls = await carriers.ask("open", **words)
        await carriers.ask("faults", faults=self._faults())
        url = await self._ground.databases.fresh(SQLITE)
        folder = self._ground.folder / f"service-{port}"
        folder.mkdir()
        more = {"port": port, "urls": urls, "broker": self._ground.broker, "folder": str(folder)}
        await side.ask("start", database_url=url, **words, **more)

    def _faults(self) -> list[tuple[int | None, Answer]]:
        if self._scene.mixed:
            return [(fire.number, fault) for fire in self._fires for fault in fire.faults]
        return [(None, fault) for case in self._scene.cases for fault in case.faults]

    async def _publish(self) -> dict[int, float]:
        """Each fire in a slot of its own, at a moment drawn from it; when."""
        dice, wire = random.Random(1), self._ground.wire
        published: dict[int, float] = {}
        began, often = time.monotonic(), -(-len(self._fires) // parts)
        for place, fire in enumerate(self._fires):
            if place % often == 0:
                self._told(f"failover: {place} of {len(self._fires)} fires, {self._scene.first}")
            at = began + (place + dice.random()) / self._scene.per_s
            await asyncio.sleep(max(0.0, at - time.monotonic()))
            published[fire.number] = time.monotonic()
            wire.publish(f"gengfu/v1/{device_id(fire.number)}/up/event".encode(), _event())
            await wire.flush()
        return published

    async def _settle(self, side: Child, published: Mapping[int, float]) -> set[int]:
        """Until all is accepted, nothing is unknown and no carrier keeps one waiting; who is left when time is up."""
        late = max(published[fire.number] + fire.slow_s for fire in self._fires)
        began = time.monotonic()
        earliest = max(began, late) + settle_s_min
        while True:
            state, now = await side.ask("state"), time.monotonic()
            left = set(state["unsettled"])
            done = not left and state["reached"] >= len(self._fires) and now >= earliest
            if done or now >= began + settle_s_max:
                return left
            await asyncio.sleep(0.5)

    def _rows(self, published: Mapping[int, float], books: Answer, known: Answer, unsettled: set[int]) -> list[Row]:
        names = [case.name for case in self._scene.cases]
        return [
            {
                "case": label(self._scene, name),
                "fault": name != SOUND,
                **_figures({n: published[n] for n in of_case(self._fires, name)}, books, known),
                "unsettled": len(unsettled.intersection(of_case(self._fires, name))),
            }
            for name in ([SOUND, *names] if self._scene.mixed else names)
        ]


async def _child(stack: AsyncExitStack, name: str, module: str) -> Child:
    child = await Child.launch(name, module)
    stack.push_async_callback(child.stop)
    return child


def _event() -> bytes:
    now = _now()
    return msgspec.json.encode(
        {"event_id": event_id_at(now), "code": "fire.smoke", "state": "raised", "observed_at": now.isoformat()}
    )


def _figures(published: Mapping[int, float], books: Answer, known: Answer) -> Row:
    """Of one fault. `taken`: by the carriers' books; `known`: by what the service knew. `lost`: no text, or no call."""
    taken, knew, second, lost = {}, {}, {}, set()
    for channel in CHANNELS:
        earliest: dict[int, tuple[float, str]] = {}
        for number, stamp, carrier in books["taken"][channel]:
            earliest[number] = min((stamp, carrier), earliest.get(number, (stamp, carrier)))
        joined = stats.last_of(published, {number: stamp for number, (stamp, _) in earliest.items()})
        heard = stats.last_of(published, stats.first_stamps((n, at) for n, at in known[channel])[0])
        taken[channel], knew[channel] = _summary(joined.seconds), _summary(heard.seconds)
        second[channel] = sum(earliest[n][1] == "second" for n in published if n in earliest)
        lost |= {*joined.lost, *heard.lost}
    twice = [seconds for number, seconds in books["twice"] if number in published]
    return {
        "fires": len(published),
        "met": {channel: len(set(books["met"][channel]) & published.keys()) for channel in CHANNELS},
        "second": second,
        "taken": taken,
        "known": knew,
        "lost": len(lost),
        "twice": sum(seconds > blink_s for seconds in twice),
        "blinks": sum(seconds <= blink_s for seconds in twice),
        "longest_ms": 1000 * max(twice, default=0.0),
    }


def _summary(seconds: Sequence[float]) -> Row | None:
    found = stats.summary(seconds)
    return None if found is None else asdict(found)


Shown = tuple[str, tuple[str, ...], tuple[tuple[str, ...], ...], str]


def tables(result: Row) -> list[Shown]:
    """Titles, headers, cells, notes."""
    rows = sorted(result["rows"], key=lambda row: bool(row["fault"]))
    return [_times(rows, result["at"], result["load"]), _counts(rows)]


def _times(rows: Sequence[Row], at: str, load: Sequence[float]) -> Shown:
    cells: Cells = [
        (row["case"], *(_ms(row["taken"][channel], share) for channel in CHANNELS for share in SHARES)) for row in rows
    ]
    cells.append(("target", "", P99_TARGET, "", "", P99_TARGET, ""))
    note = (
        "From the publication of a fire to the first of two carriers that has it in its books, by what the one that is "
        "tried first does; each fire from a room and to a worker of its own. "
        f"Measured {at}; load average {load[0]:.1f} before, {load[1]:.1f} after."
    )
    headers = ("the first carrier", *(f"{word} {share}" for word in ("SMS", "call") for share in SHARES))
    return "Failover: publish to the first carrier that has it, ms", headers, tuple(cells), note


def _counts(rows: Sequence[Row]) -> Shown:
    cells: Cells = []
    for row in rows:
        known = max((row["known"][channel] or {"p99": 0.0})["p99"] for channel in CHANNELS)
        met = f"{max(row['met'].values())} of {row['fires']}"
        cells.append((row["case"], met, f"{known:,.0f}", *(str(row[each]) for each in ("lost", "twice", "unsettled"))))
    cells.append(("target", "", P99_TARGET, "0", "0", "0"))
    blinks, longest = sum(row["blinks"] for row in rows), max(row["longest_ms"] for row in rows)
    note = (
        "known: until the service knew it, text or call, the slower. rang twice: phones with two calls at once for "
        f"longer than {blink_s:g} s, out of the phones' own books; {blinks} had two for less, where a carrier took a "
        f"call seconds late and it was hung up; the longest, {longest:,.0f} ms. unsettled: fires with an attempt of "
        "which nobody knew in the end."
    )
    headers = ("the first carrier", "met it", "known p99", "lost", "rang twice", "unsettled")
    return "Failover: nothing lost, no phone rings twice, nothing unknown", headers, tuple(cells), note


def _ms(found: Row | None, share: str) -> str:
    return "-" if found is None else f"{found[share]:,.0f}"
