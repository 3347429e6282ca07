"""Durable ingest: repeated alarms of open incidents, each event stored and receipted, beside mosquitto_sub."""

import shutil
import time
from collections.abc import Callable

from benchmarks import stats
from benchmarks.latency import Row
from benchmarks.world import World

REFERENCE = "mosquitto_sub"
devices = 200
window = 2_000
"""Events without receipt at any time (for mosquitto_sub: not yet printed)."""
warmup_seconds = 2.0
settle_seconds = 10.0
code = "water.leak"


async def run(world: World, kinds: list[str], rounds: int, seconds: float, told: Callable[[str], None]) -> list[Row]:
    """One row per round: each kind of database, then mosquitto_sub over the same broker from the same generator."""
    rows: list[Row] = []
    for number in range(rounds):
        for kind in [*kinds, REFERENCE]:
            told(f"ingest: round {number + 1}, {kind}")
            rows.append(await (_relay(world, seconds) if kind == REFERENCE else _service(world, kind, seconds)))
    return rows


async def _service(world: World, kind: str, seconds: float) -> Row:
    await world.start_service(await world.databases.fresh(kind))
    try:
        await world.begin_run()
        await open_incidents(world)
        before, since = world.used(), time.monotonic()
        told = await world.generator.ask(
            "flood",
            devices=devices,
            code=code,
            window=window,
            warmup=warmup_seconds,
            seconds=seconds,
            settle=settle_seconds,
        )
        shares = stats.cpu_share(before, world.used(), time.monotonic() - since)
    finally:
        await world.stop_service()
    return {
        "kind": kind,
        "per_s": stats.rate(told["count"], told["seconds"]),
        "missing": told["sent"] - told["receipts"],
        "refused": told["refused"],
        "cpu": shares,
    }


async def open_incidents(world: World) -> None:
    """One alarm of each device, so that what follows attaches to an open incident and pages nobody."""
    await world.generator.ask(
        "paced",
        first=0,
        rate=devices,
        telemetry=0,
        devices=1,
        seconds=1.0,
        code=code,
        kind="event",
        settle=settle_seconds,
    )


async def _relay(world: World, seconds: float) -> Row:
    program = shutil.which("mosquitto_sub")
    if program is None:
        return {"kind": REFERENCE, "per_s": None, "cpu": {}}
    unbuffered = shutil.which("stdbuf")
    before, since = world.used(), time.monotonic()
    told = await world.generator.ask(
        "relay",
        program=program,
        unbuffered=[unbuffered, "-oL"] if unbuffered else [],
        devices=devices,
        code=code,
        window=window,
        receive_maximum=8_000,
        warmup=warmup_seconds,
        seconds=seconds,
    )
    shares = stats.cpu_share(before, world.used(), time.monotonic() - since)
    return {"kind": REFERENCE, "per_s": stats.rate(told["count"], told["seconds"]), "cpu": shares}
