"""A storm: an alarm from every building within half a second, the fires last in line. Who is told when; is any lost."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

from benchmarks import stats
from benchmarks.child import Child
from benchmarks.floor import FLOOR_KIND
from benchmarks.latency import FLOOR, Row, accepted
from benchmarks.world import World

everything_seconds_max = 25.0
"""Before the first escalation step is due."""
callbacks_seconds_max = 20.0
callbacks_quiet_seconds = 2.0
"""Without a further callback: that was the last."""
look_every_s = 0.25
fire_share = 0.01
burst_seconds = 0.5


async def run(world: World, kinds: list[str], alarms: int, told: Callable[[str], None]) -> list[Row]:
    """`alarms` alarms of as many buildings; 1 % of them fire (SMS, call, app), the rest water leaks (SMS, app). The
    bare floor first, then each kind of database."""
    told(f"storm: {alarms} alarms in {burst_seconds} s, {FLOOR}")
    return [await _floor(world, alarms), *[await _service(world, kind, alarms, told) for kind in kinds]]


async def _service(world: World, kind: str, alarms: int, told: Callable[[str], None]) -> Row:
    told(f"storm: {alarms} worker apps sign in, {kind}")
    await world.start_service(await world.databases.fresh(kind))
    crowd = await world.crowd(alarms)
    try:
        await world.begin_run()
        told(f"storm: {alarms} alarms in {burst_seconds} s, {kind}")
        row = await _storm(world, crowd, alarms, "event")
        told(f"storm: the provider's callbacks come, {kind}")
        return row | {"kind": kind, "callbacks": await _callbacks(world)}
    finally:
        await crowd.stop()
        await world.stop_service()


async def _floor(world: World, alarms: int) -> Row:
    floor = await world.child("floor", "benchmarks.floor")
    try:
        await floor.ask("start", **world.broker_login, **world.provider)
        await world.begin_run()
        return await _storm(world, floor, alarms, FLOOR_KIND) | {"kind": FLOOR}
    finally:
        await floor.stop()


async def _storm(world: World, other: Child, alarms: int, kind: str) -> Row:
    fires = max(1, round(alarms * fire_share))
    more = {other.name: other.pid}
    before, since = world.used(**more), time.monotonic()
    offered, _, _ = await asyncio.gather(
        world.generator.ask(
            "storm", count=alarms, fires=fires, seconds=burst_seconds, kind=kind, settle=everything_seconds_max
        ),
        other.ask("wait", count=alarms, seconds=everything_seconds_max),
        _taken_by_provider(world, alarms, fires),
    )
    took = time.monotonic() - since
    shares = stats.cpu_share(before, world.used(**more), took)
    confirmed = await other.ask("results")
    requests = await world.emulator("requests")
    return _judged(offered, confirmed, requests, alarms - fires) | {
        "alarms": alarms,
        "fires": fires,
        "cpu": shares,
        "cpu_over_s": took,
        "burst_s": offered["seconds"],
    }


def _judged(offered: Row, confirmed: Row, requests: list[Row], first_fire: int) -> Row:
    """Seconds from the first publication of the storm, and how many alarms did not reach everybody they should."""
    published = dict(offered["published"])
    sms, sms_again = accepted(requests, "sms")
    voice, voice_again = accepted(requests, "voice")
    app, app_again = stats.first_stamps((n, stamp) for n, stamp in confirmed["confirmed"])
    fires = {n: stamp for n, stamp in published.items() if n >= first_fire}
    leaks = {n: stamp for n, stamp in published.items() if n < first_fire}
    fire, leak = stats.last_of(fires, sms, voice, app), stats.last_of(leaks, sms, app)
    start = min(published.values())
    ends = [max(times[n] for times in (sms, voice, app)) for n in fires if n not in fire.lost]
    all_ends = ends + [max(sms[n], app[n]) for n in leaks if n not in leak.lost]
    receipts = dict(offered["receipts"])
    return {
        "last_fire_s": max(ends) - start if ends else None,
        "last_fire_since_published_s": max(fire.seconds) if fire.seconds else None,
        "fire_p50_s": stats.at_share(sorted(fire.seconds), 0.5) if fire.seconds else None,
        "everything_s": max(all_ends) - start if all_ends else None,
        "last_receipt_s": max(receipts.values()) - start if receipts else None,
        "receipts": len(receipts),
        "lost": len(fire.lost) + len(leak.lost),
        "lost_fires": len(fire.lost),
        "again": sms_again + voice_again + app_again,
        "unexpected": len(voice.keys() - fires.keys()) + len((sms.keys() | app.keys()) - published.keys()),
    }


async def _taken_by_provider(world: World, texts: int, calls: int) -> None:
    """Wait until the provider holds them all; a look costs it a fraction of a millisecond."""
    deadline = time.monotonic() + everything_seconds_max
    while time.monotonic() < deadline:
        usage = await world.emulator("usage")
        if usage["messages"] >= texts and usage["calls"] >= calls:
            return
        await asyncio.sleep(look_every_s)


async def _callbacks(world: World) -> dict[str, Any]:
    """Let the provider's status callbacks go; how many came and how long until the last was answered."""
    begun = (await world.emulator("usage"))["webhooks_sent"]
    started = last_change = time.monotonic()
    await world.emulator("callbacks", {"held": False})
    sent = begun
    while time.monotonic() < min(started + callbacks_seconds_max, last_change + callbacks_quiet_seconds):
        usage = await world.emulator("usage")
        if usage["webhooks_sent"] != sent:
            sent, last_change = usage["webhooks_sent"], time.monotonic()
        await asyncio.sleep(look_every_s)
    return {"sent": sent - begun, "seconds": last_change - started, "troubles": len(usage["troubles"])}
