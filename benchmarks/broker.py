"""mosquitto with the accounts of a city: how fast it loads them, and how long it takes to cut a revoked device off.

The devices stand in a SQLite registry; a task follows it as in the service. Never judges a figure.
"""

import asyncio
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack, suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

from alerting.ports import Priority
from benchmarks.child import ROOT
from devices.model import Device, DeviceState
from devices.store import devices as store
from devices.store.devices import DeviceRow
from gengfu.broker.accounts import ChildAccounts
from gengfu.broker.child import MosquittoChild
from gengfu.broker.files import SERVICE_USERNAME, Account, hash_secret
from gengfu.broker_follow import Following
from gengfu.clock import SystemClock
from gengfu.database import RunningDatabase, migrate, open_database
from simulators.wire import Wire

Row = dict[str, Any]
secret = "the benchmark's own secret"
connected_devices = 1_000
rounds = 5
rows_at_once = 10_000
publish_every_s = 0.002
patience_s = 120.0
headers = (
    "devices",
    "connected",
    "load, s",
    "revoked until cut, s",
    "traffic stands still, s",
    "service's loop late, ms",
)


async def run(count: int, told: Callable[[str], None]) -> Row:
    """One city; medians are the reader's."""
    told(f"broker: {count:,} accounts")
    (ROOT / ".run").mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="bench-broker-", dir=ROOT / ".run"))
    try:
        async with AsyncExitStack() as stack:
            database = await _registry(folder, count)
            stack.push_async_callback(database.close)
            return await _measured(folder, count, database, stack)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def table(row: Row) -> tuple[str, tuple[str, ...], tuple[tuple[str, ...], ...], str]:
    """Title, headers, cells and note."""
    seconds = [f"{_middle(row[name]):.2f} ({max(row[name]):.2f})" for name in ("cut_s", "stall_s")]
    late = f"{1000 * max(row['late_s']):.0f}"
    cells = (f"{row['devices']:,}", f"{row['connected']:,}", f"{row['load_s']:.2f}", *seconds, late)
    note = "Median and, in brackets, worst. Promised: loaded in under a second, cut within five."
    return "A broker that knows a city", headers, (cells,), note


async def _registry(folder: Path, count: int) -> RunningDatabase:
    url = f"sqlite+aiosqlite:///{folder / 'gengfu.db'}"
    await asyncio.to_thread(migrate.upgrade, url)
    database = open_database(url, monotonic=time.monotonic)
    now, hashed = SystemClock().now(), hash_secret(secret)
    for begin in range(0, count, rows_at_once):
        ids = [_name(number) for number in range(begin, min(count, begin + rows_at_once))]
        rows = [DeviceRow(Device(id_, "smoke_detector", None, DeviceState.COMMISSIONED), now) for id_ in ids]
        await database.write(Priority.ADMINISTRATION, lambda conn, rows=rows: store.insert_many(conn, rows))  # type: ignore[misc]
        await database.write(
            Priority.ADMINISTRATION,
            lambda conn, ids=ids: [store.set_credential(conn, id_, hashed) for id_ in ids],  # type: ignore[misc]
        )
    return database


async def _measured(folder: Path, count: int, database: RunningDatabase, stack: AsyncExitStack) -> Row:
    service = Account(SERVICE_USERNAME, hash_secret(secret))
    child = await MosquittoChild.launch(folder / "broker", service=service)
    stack.push_async_callback(child.stop)
    following = Following(database, ChildAccounts(child, service, {}))
    task = asyncio.create_task(following.run())
    stack.push_async_callback(_ended, task)
    crowd = await _crowd(child, min(connected_devices, count))
    for wire in crowd:
        stack.callback(wire.abort)
    await child.reload()
    began = time.monotonic()
    await child.reload()
    row: Row = {"devices": count, "connected": len(crowd), "load_s": time.monotonic() - began}
    measured = [await _cut(database, following, child, number, crowd[number]) for number in range(rounds)]
    return row | {name: [each[name] for each in measured] for name in measured[0]}


async def _crowd(child: MosquittoChild, count: int) -> list[Wire]:
    """Connected as soon as the broker knows the last of them."""
    async with asyncio.timeout(patience_s):
        return [await _connected(child, _name(number)) for number in reversed(range(count))][::-1]


async def _connected(child: MosquittoChild, name: str) -> Wire:
    while True:
        wire = Wire()
        try:
            await wire.connect(child.host, child.port, name, name, secret)
        except Exception:  # noqa: BLE001 - refused until the files are there; the caller's patience ends it
            await asyncio.sleep(0.1)
        else:
            return wire


async def _cut(
    database: RunningDatabase, following: Following, child: MosquittoChild, number: int, wire: Wire
) -> dict[str, float]:
    """Revoke one device as the API does, while the service's own messages go on."""
    late, acks = [0.0], [time.monotonic()]
    watching = [asyncio.create_task(_lateness(late)), asyncio.create_task(_traffic(child, acks))]
    await asyncio.sleep(0.5)
    late[0] = 0.0
    began = time.monotonic()
    now = SystemClock().now()
    await database.write(Priority.ADMINISTRATION, lambda conn: store.revoke_credential(conn, _name(number), now))
    following.look()
    await asyncio.wait_for(wire.closed.wait(), patience_s)
    took = time.monotonic() - began
    await asyncio.sleep(0.5)
    for task in watching:
        await _ended(task)
    stall = max(after - before for before, after in pairwise(acks))
    return {"cut_s": took, "stall_s": stall, "late_s": late[0]}


async def _lateness(late: list[float]) -> None:
    while True:
        began = time.monotonic()
        await asyncio.sleep(0.001)
        late[0] = max(late[0], time.monotonic() - began - 0.001)


async def _traffic(child: MosquittoChild, acks: list[float]) -> None:
    wire = Wire(on_puback=lambda _: acks.append(time.monotonic()))
    await wire.connect(child.host, child.port, "traffic", SERVICE_USERNAME, secret)
    try:
        while True:
            wire.publish(b"gengfu/v1/traffic/up/heartbeat", b"{}")
            await wire.flush()
            await asyncio.sleep(publish_every_s)
    finally:
        wire.abort()


async def _ended(task: "asyncio.Task[None]") -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def _name(number: int) -> str:
    return f"device-{number:07}"


def _middle(values: Sequence[float]) -> float:
    return sorted(values)[len(values) // 2]


if __name__ == "__main__":
    print(*table(asyncio.run(run(100_000, print))), sep="\n")
