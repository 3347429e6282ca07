"""Latency: severity 1 fires at a steady rate over background telemetry, the service beside the bare floor."""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks import stats
from benchmarks.child import Child
from benchmarks.floor import FLOOR_KIND
from benchmarks.numbering import phone_number
from benchmarks.world import World

FLOOR = "floor"
settle_seconds = 3.0


@dataclass(frozen=True, slots=True)
class Load:
    """What is offered. `rate`: alarms a second, each fire of a building of its own; `telemetry`: messages a second."""

    rate: int
    telemetry: int
    warmup_s: float
    seconds: float

    @property
    def alarms(self) -> int:
        return round(self.rate * (self.warmup_s + self.seconds))


Row = dict[str, Any]


async def run(world: World, load: Load, kinds: list[str], rounds: int, told: Callable[[str], None]) -> list[Row]:
    """One row per round, in the order of running: each kind of database, then the floor, again and again."""
    rows: list[Row] = []
    for number in range(rounds):
        for kind in [*kinds, FLOOR]:
            told(f"latency: round {number + 1}, {kind}")
            rows.append(await (_floor(world, load) if kind == FLOOR else _service(world, load, kind)))
    return rows


async def _service(world: World, load: Load, kind: str) -> Row:
    await world.start_service(await world.databases.fresh(kind))
    crowd = await world.crowd(load.alarms)
    try:
        await world.begin_run()
        row = await _offer(world, load, "event", crowd)
        await crowd.ask("wait", count=load.alarms, seconds=settle_seconds)
        apps = await crowd.ask("results")
        return await _joined(world, load, kind, row, apps["confirmed"])
    finally:
        await crowd.stop()
        await world.stop_service()


async def _floor(world: World, load: Load) -> Row:
    floor = await world.child("floor", "benchmarks.floor")
    try:
        await floor.ask("start", **world.broker_login, **world.provider)
        await world.begin_run()
        row = await _offer(world, load, FLOOR_KIND, floor)
        await floor.ask("wait", count=load.alarms, seconds=settle_seconds)
        results = await floor.ask("results")
        return await _joined(world, load, FLOOR, row, results["confirmed"])
    finally:
        await floor.stop()


async def _offer(world: World, load: Load, kind: str, other: Child) -> Row:
    """Publish; what the generator saw, and the CPU share of every part."""
    more = {other.name: other.pid}
    before, since = world.used(**more), time.monotonic()
    offered = await world.generator.ask(
        "paced",
        first=0,
        rate=load.rate,
        telemetry=load.telemetry,
        devices=world.devices,
        seconds=load.warmup_s + load.seconds,
        code="fire.smoke",
        kind=kind,
        settle=settle_seconds,
    )
    shares = stats.cpu_share(before, world.used(**more), time.monotonic() - since)
    return {"offered": offered, "cpu": shares}


async def _joined(world: World, load: Load, kind: str, row: Row, third: list[tuple[int, float]]) -> Row:
    offered = row["offered"]
    first = round(load.rate * load.warmup_s)
    published = {n: stamp for n, stamp in offered["published"] if n >= first}
    requests = await world.emulator("requests")
    sms, sms_again = accepted(requests, "sms")
    voice, voice_again = accepted(requests, "voice")
    app, app_again = stats.first_stamps((n, stamp) for n, stamp in third)
    everywhere = stats.last_of(published, sms, voice, app)
    receipts = dict(offered["receipts"])
    figures = {
        "all three": everywhere.seconds,
        "sms": stats.last_of(published, sms).seconds,
        "voice": stats.last_of(published, voice).seconds,
        "app": stats.last_of(published, app).seconds,
        "receipt": stats.last_of(published, receipts).seconds,
    }
    return {
        "kind": kind,
        "lost": len(everywhere.lost),
        "again": sms_again + voice_again + app_again,
        "ms": {name: _as_row(stats.summary(seconds)) for name, seconds in figures.items()},
        "cpu": row["cpu"],
        "telemetry_per_s": stats.rate(offered["telemetry"], offered["seconds"]),
        "alarms_per_s": stats.rate(len(offered["published"]), offered["seconds"]),
    }


def accepted(requests: list[Row], channel: str) -> tuple[dict[int, float], int]:
    """Alarm number -> when the provider took its first message on this channel; how many came beyond the first."""
    return stats.first_stamps(
        (phone_number(row["to"]), row["monotonic"])
        for row in requests
        if row["kind"] == channel and row["outcome"] == "provider_accepted"
    )


def _as_row(summary: stats.Summary | None) -> Row | None:
    return None if summary is None else asdict(summary)
