"""The demonstration as a whole: folder, logs, signals, stage, story, verdict, and a good end. Judges nothing."""

import asyncio
import logging
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
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
from simulators.scenario import Scenario

speech_seconds_per_char = 0.2
log_name = "demo.log"
canary_every_s = 60.0

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
    """Run the demonstration until it ends by itself or by a signal; a second signal changes nothing."""
    stopped_by: list[int] = []

    def stop(number: int) -> None:
        if not stopped_by:
            stopped_by.append(number)
            showing.cancel()

    showing = asyncio.create_task(_show(plan, lambda: stop(signal.SIGPIPE)))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop, number)
    try:
        return await showing
    except asyncio.CancelledError:
        if not stopped_by:
            raise
        return 128 + stopped_by[0] if plan.options.headless else 0


async def _show(plan: Plan, reader_gone: Callable[[], None]) -> int:
    clock = SystemClock()
    record = Record(clock.now, Careful(plan.teller.steps, reader_gone))
    plan.teller.begin(plan.scenario)
    async with (
        _stage(plan, clock) as stage,
        _watched(stage),
        Story(stage, plan.scenario, plan.options.speed, record, plan.cast) as story,
    ):
        await story.play()
        if plan.options.headless:
            return await _judge(plan, story, record)
        await _while_serving(plan, story, record, stage)
        await asyncio.Event().wait()
    raise AssertionError("unreachable: it waits until it is cancelled")


async def _judge(plan: Plan, story: Story, record: Record) -> int:
    await story.over()
    plan.teller.summary(record.steps)
    return _verdict(plan, story, record)


async def _while_serving(plan: Plan, story: Story, record: Record, stage: Stage) -> None:
    """The summary as soon as the story has settled; the verdict when its time is over. Steps go on being told."""
    settled, over = asyncio.create_task(story.settled()), asyncio.create_task(story.over())
    try:
        await asyncio.wait({settled, over}, return_when=asyncio.FIRST_COMPLETED)
        plan.teller.summary(record.steps)
        if not over.done():
            plan.teller.so_far(plan.scenario.lasts_s / plan.options.speed, plan.scenario.expect.nothing_else)
        plan.teller.serving(stage.app.http_url, await stage.key(Role.OPERATOR), record.elapsed_ms())
        await over
        _verdict(plan, story, record)
    finally:
        settled.cancel()
        over.cancel()
        await asyncio.gather(settled, over, return_exceptions=True)


def _verdict(plan: Plan, story: Story, record: Record) -> int:
    differences = story.differences()
    plan.teller.verdict(differences, record.elapsed_ms(), plan.scenario.expect.nothing_else)
    return 1 if differences else 0


@asynccontextmanager
async def _stage(plan: Plan, clock: SystemClock) -> AsyncIterator[Stage]:
    """The running stage: with a real mosquitto, or where none can be had with the embedded broker, and says so."""
    async with AsyncExitStack() as stack:
        embedded = plan.embedded or mosquitto_executable() is None
        if not embedded:
            try:
                yield await stack.enter_async_context(_stage_with(plan, clock, embedded=False))
                return
            except BrokerUnavailable as refusal:
                log.warning("mosquitto cannot be had: %s", refusal)
        plan.teller.warn(plan.cast.speaker.say("embedded"))
        yield await stack.enter_async_context(_stage_with(plan, clock, embedded=True))


def _stage_with(plan: Plan, clock: SystemClock, *, embedded: bool) -> Stage:
    return Stage(
        plan.folder,
        plan.cast.city,
        embedded=embedded,
        time_scale=1.0 / plan.options.speed,
        speech_seconds_per_char=speech_seconds_per_char,
        core=CoreSettings(language=plan.cast.speaker.language),
        clock=clock,
        canary_every_s=canary_every_s,
    )


@asynccontextmanager
async def _watched(stage: Stage) -> AsyncIterator[None]:
    """A part of the application that ends before its time ends the demonstration, with its own exception."""
    me = asyncio.current_task()
    assert me is not None
    failed = asyncio.create_task(stage.app.until_failed())
    failed.add_done_callback(lambda task: None if task.cancelled() else me.cancel())
    try:
        yield
    except asyncio.CancelledError:
        if failed.done():
            await failed
        raise
    finally:
        failed.cancel()
        await asyncio.gather(failed, return_exceptions=True)


@contextmanager
def _logs_to(path: Path) -> Iterator[None]:
    """Every log of this process goes into a file, so that nothing interrupts the story."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    with path.open("w", encoding="utf-8") as file:
        logs.configure("text", "info", stream=file)
        try:
            yield
        finally:
            logging.captureWarnings(False)
            root.handlers[:] = handlers
            root.setLevel(level)


def _kept(folder: Path) -> str:
    """Move the log out of the folder that is about to be removed; where it is now."""
    handle, name = tempfile.mkstemp(prefix="gengfu-demo-", suffix=".log")
    os.close(handle)
    shutil.copyfile(folder / log_name, name)
    return name
