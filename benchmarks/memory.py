"""Memory of the service with a large registry: after the start, after ten thousand events, after telemetry of all."""

import asyncio
from collections.abc import Callable

from benchmarks import cpu
from benchmarks.ingest import code, devices, open_incidents, settle_seconds
from benchmarks.latency import Row
from benchmarks.world import World

events = 10_000
telemetry_per_s = 20_000
settled_seconds = 2.0


async def run(world: World, kind: str, told: Callable[[str], None]) -> Row:
    """Resident bytes; `peak` is the most there ever was."""
    told(f"memory: {world.devices} devices, start")
    await world.start_service(await world.databases.fresh(kind))
    assert world.service is not None
    pid = world.service.pid
    try:
        await world.begin_run()
        await asyncio.sleep(settled_seconds)
        started = cpu.memory_bytes(pid)
        told(f"memory: {events} events, one telemetry message of each device")
        await open_incidents(world)
        await world.generator.ask("burst", count=events, devices=devices, code=code, settle=settle_seconds)
        after_events = cpu.memory_bytes(pid)
        await world.generator.ask("sweep", devices=world.devices, rate=telemetry_per_s)
        await asyncio.sleep(settled_seconds)
        return {
            "kind": kind,
            "devices": world.devices,
            "started_bytes": started,
            "after_events_bytes": after_events,
            "after_telemetry_bytes": cpu.memory_bytes(pid),
            "peak_bytes": cpu.memory_bytes(pid, "VmHWM"),
        }
    finally:
        await world.stop_service()
