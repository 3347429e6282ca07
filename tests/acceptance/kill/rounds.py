"""Rounds: start, let events come, stop at the point, SIGKILL, start again; at the end let it finish. Never judges."""

import asyncio
import random
from dataclasses import dataclass

from tests.acceptance.kill.child import Serve
from tests.acceptance.kill.scene import Scene

queued_events = 2
"""Published while the process is down: the broker's queue delivers them together with what was not acknowledged."""
live_events_max = 25
"""Published one by one while it runs, until it has stopped: some arrive alone, some together."""
live_gap_s = 0.08
last_events = 2
"""Published in the life that nobody ends: they show that the service works."""
stall_seconds_max = 25.0
"""What has not been sent after so long without anything being sent is lost: longer than a lease."""
quiet_s = 4.0
"""Longer than a sweep and the provider's list lag: a repeat that is still to come has come by then."""


@dataclass(frozen=True, slots=True)
class Plan:
    """`passes`: at the how manieth passing of the point the process stops, round by round, over and over."""

    point: str
    passes: tuple[int, ...]
    rounds: int
    module: str = "gengfu"
    stall_s: float = stall_seconds_max
    list_lag_s: float = 1.0
    """How long the provider's lists trail behind its acceptances: Twilio's about a second."""

    @property
    def devices(self) -> int:
        return self.rounds * (queued_events + live_events_max) + last_events


async def carry_out(scene: Scene, plan: Plan) -> None:
    """Kill as planned, then let what is left be sent."""
    for number in range(plan.rounds):
        await _one_kill(scene, plan, number)
    await finish(scene, plan.module, plan.stall_s)


async def _one_kill(scene: Scene, plan: Plan, number: int) -> None:
    if number > 0:  # before the first life there is no session at the broker that would queue them
        await scene.generator.publish(queued_events)
    serve = await Serve.start(scene, f"{plan.point}:{plan.passes[number % len(plan.passes)]}", plan.module)
    try:
        await serve.until_connected()
        for _ in range(live_events_max):
            if serve.stopped:
                break
            await scene.generator.publish()
            await asyncio.sleep(live_gap_s)
        await serve.until_stopped()
        await serve.kill()
    finally:
        await serve.put_down()


async def kill_at_random(scene: Scene, rounds: int, seed: int, within_s: float) -> None:
    """SIGKILL at any moment of the first `within_s` seconds after the connection, while events keep coming."""
    dice = random.Random(seed)
    for _ in range(rounds):
        serve = await Serve.start(scene)
        try:
            await serve.until_connected()
            await asyncio.sleep(dice.uniform(0.0, within_s))
            await serve.kill()
        finally:
            await serve.put_down()


async def finish(scene: Scene, module: str = "gengfu", stall_s: float = stall_seconds_max) -> None:
    """A last life without a kill, until everything is sent and nothing more comes."""
    serve = await Serve.start(scene, module=module)
    try:
        await serve.until_connected()
        await scene.generator.publish(last_events)
        await scene.generator.end()
        await _until_sent(scene, stall_s)
        await asyncio.sleep(quiet_s)
        await serve.end()
    finally:
        await serve.put_down()


async def _until_sent(scene: Scene, stall_s: float) -> None:
    loop = asyncio.get_running_loop()
    left, since = scene.unsent(), loop.time()
    while left and loop.time() - since < stall_s:
        await asyncio.sleep(0.2)
        now_left = scene.unsent()
        if now_left < left:
            left, since = now_left, loop.time()
