"""How long it takes to say where devices are and who goes first, in batches as the service asks. Never writes."""

import random
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from benchmarks import stats
from devices.model import Placement, Role
from devices.resolve import RegistrySnapshot, on_duty, place_device
from devices.store import snapshot
from devices.store.lists import one_of
from devices.store.memory import RegistryMemory
from devices.store.tables import devices
from gengfu.clock import SystemClock
from gengfu.database import open_database
from simulators.mission_places import device_id

asked = 10_000
batch_size = 256
passes = 3
"""Each with devices of its own where there are enough, so that a p99 rests on more than a hundred batches."""
_BARE = select(devices).where(one_of(devices.c.id, "device_ids"))

Load = Callable[[Connection, Sequence[str], datetime], RegistrySnapshot]


async def measure(url: str, count: int) -> dict[str, Any]:
    """Milliseconds per batch of random devices. `service`: with one memory, which has seen as many other devices;
    `fresh`: nothing is remembered, as after each change of the registry; `bare`: only the devices' rows by their ids.
    """
    database = open_database(url, monotonic=time.monotonic)
    try:
        return await database.read(lambda conn: _measure(conn, count))
    finally:
        await database.close()


def _measure(conn: Connection, count: int) -> dict[str, Any]:
    now, dice = SystemClock().now(), random.Random(1)
    numbers = dice.sample(range(count), min((passes + 1) * asked, count))
    others, measured = numbers[-asked:], numbers[: passes * asked]
    memory = RegistryMemory()
    for ids in _batches(others):
        _as_service(memory)(conn, ids, now)
    placed = answered = 0
    taken: dict[str, list[tuple[float, float]]] = {"service": [], "fresh": [], "bare": []}
    for ids in _batches(measured):
        for name, load in (("service", _as_service(memory)), ("fresh", _fresh)):
            since, used = time.perf_counter(), time.thread_time()
            counts = _who_goes(load(conn, ids, now), ids, now)
            taken[name].append((time.perf_counter() - since, time.thread_time() - used))
        placed, answered = placed + counts[0], answered + counts[1]
        since, used = time.perf_counter(), time.thread_time()
        conn.execute(_BARE, {"device_ids": list(ids)}).fetchall()
        taken["bare"].append((time.perf_counter() - since, time.thread_time() - used))
    batches = len(taken["bare"])
    return {
        "devices": min(len(measured), batches * batch_size),
        "batches": batches,
        "batch": batch_size,
        "placed": placed,
        "answered": answered,
        "ms": {name: _summary([wall for wall, _ in each]) for name, each in taken.items()},
        "cpu_ms": {name: _summary([cpu for _, cpu in each]) for name, each in taken.items()},
    }


def _as_service(memory: RegistryMemory) -> Load:
    return lambda conn, ids, now: memory.load(conn, ids, now, neighbours=False)


def _fresh(conn: Connection, ids: Sequence[str], now: datetime) -> RegistrySnapshot:
    return snapshot.load(conn, ids, now, neighbours=False)


def _batches(numbers: Sequence[int]) -> Iterator[list[str]]:
    """Whole ones only; a city with fewer devices than one has one."""
    last = max(len(numbers) - batch_size, 0)
    for first in range(0, last + 1, batch_size):
        yield [device_id(number) for number in numbers[first : first + batch_size]]


def _who_goes(known: RegistrySnapshot, ids: Sequence[str], now: datetime) -> tuple[int, int]:
    """How many have a grid, and for how many somebody stands on the first step."""
    placements = [place_device(known, each) for each in ids]
    placed = [each for each in placements if isinstance(each, Placement) and each.grid_id is not None]
    return len(placed), sum(bool(on_duty(known, each, Role.GRID_WORKER, now)) for each in placed)


def _summary(seconds: Sequence[float]) -> dict[str, float]:
    told = stats.summary(seconds)
    assert told is not None
    return {"p50": told.p50, "p99": told.p99, "max": told.max}
