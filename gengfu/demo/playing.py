"""The demonstration as a whole: folder, logs, signals, stage, story, verdict, and an end in good order. Judges nothing."""

import asyncio
import logging
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from alerting.core.model import Settings as CoreSettings
from api.permissions import Role
from devices.model import Language
from gengfu import logs
from gengfu.broker.child import mosquitto_executable
from gengfu.broker.errors import BrokerUnavailable
from gengfu.clock import SystemClock
from gengfu.demo.cast import Cast, city_for
from gengfu.demo.steps import Record
from gengfu.demo.story import Story
from gengfu.demo.telling import Careful, JsonTeller, PlainTeller, Teller
from gengfu.demo.words import Speaker
from gengfu.demo_options import DemoOptions
from gengfu.stage import Stage
from simulators.city import load_city
from simulators.phone import PhoneEvent
from simulators.scenario import Scenario

speech_seconds_per_char = 0.2
log_name = "demo.log"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Plan:
    """What one demonstration is made of."""

    options: DemoOptions
    scenario: Scenario
    cast: Cast
    teller: Teller
    folder: Path
    embedded: bool


def play(options: DemoOptions, scenario: Scenario, language: Language, *, embedded: bool = False) -> int:
    """Play one scenario; the exit code. `embedded`: the broker in Python even where there is a mosquitto."""
    cast = Cast(city_for(load_city(scenario.city), language), Speaker(language))
    teller: Teller = JsonTeller(cast, sys.stdout) if options.json else PlainTeller(cast, Console(highlight=False))
    with tempfile.TemporaryDirectory(prefix="gengfu-demo-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        with _logs_to(folder / log_name):
            try:
                code = asyncio.run(_until_told(Plan(options, scenario, cast, teller, folder, embedded)))
            except BrokerUnavailable:
                raise
            except Exception:
                sys.stderr.write(cast.speaker.say("logs_at", path=_kept(folder)) + "\n")
                raise
        kept = _kept(folder) if code == 1 else ""
    teller.end(kept)
    return code


async def _until_told(plan: Plan) -> int:
    """Run the demonstration until it ends by itself or by a signal. A second signal changes nothing: it ends already."""
    showing = asyncio.create_task(_show(plan))
    stopped_by: list[int] = []

    def stop(number: int) -> None:
        if not stopped_by:
            stopped_by.append(number)
            showing.cancel()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop, number)
    try:
        return await showing
    except asyncio.CancelledError:
        if not stopped_by:
            raise
        return 128 + stopped_by[0] if plan.options.headless else 0


async def _show(plan: Plan) -> int:
    me = asyncio.current_task()
    assert me is not None
    clock = SystemClock()
    record = Record(clock.now, Careful(plan.teller.steps, me.cancel))
    stories: list[Story] = []

    def on_phone(event: PhoneEvent) -> None:
        for story in stories:
            story.of_phone(event)

    plan.teller.begin(plan.scenario)
    async with _stage(plan, clock, on_phone) as stage:
        story = Story(stage, plan.scenario, plan.options.speed, record, plan.cast)
        stories.append(story)
        async with story, _watched(stage, me):
            held = await _tell(plan, story, record, stage)
            if plan.options.headless:
                return 0 if held else 1
            await asyncio.Event().wait()
    raise AssertionError("unreachable: waits until it is cancelled")
