"""One life of the service, from a start to the crash that ends it: its own clock, database port, providers and tasks.

A crash cuts every port at once: whatever of it still runs reaches nothing any more. Never ends by itself.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from alerting.metrics import NoMetrics
from alerting.ports import Priority
from alerting.service import Service
from alerting.store import boots
from alerting.stream import Hub
from alerting.writing import Outbox
from devices.model import Channel
from gengfu.clock import ForwardClock
from tests.simulation.carriers import Carrier
from tests.simulation.inline import InlineDatabase
from tests.simulation.quiet import KnownPolls

if TYPE_CHECKING:
    from tests.simulation.schedule import Schedule


class Life:
    """`start` takes over what the life before left; `end` is the crash."""

    def __init__(self, world: "Schedule") -> None:
        self._world = world
        self.alive = True
        self.clock = ForwardClock(world.wall)
        self.tasks: dict[asyncio.Task[Any], None] = {}
        self.up_since = float("inf")
        self._pollers: set[asyncio.Task[Any]] = set()
        """Those that begin with the service and look, again and again, whether there is something to do."""
        self.database = InlineDatabase(
            world.connection,
            monotonic=world.wall.monotonic,
            point=self.point,
            pause_s=world.pause_s,
            polls=KnownPolls(world.driver, world.quiet, self.clock.now) if world.hurries else None,
        )
        self.service: Service

    def point(self, name: str) -> None:
        """A place between two steps: where the service may die, and where a dead one stops."""
        if not self.alive:
            raise asyncio.CancelledError
        self._world.passed(self, name)

    async def start(self) -> None:
        world, database = self._world, self.database
        boot = await database.write(
            Priority.ADMINISTRATION, lambda conn: boots.begin(conn, self.clock.now(), "simulation")
        )
        providers = {channel: self._carriers(channel) for channel in Channel}
        self.service = Service(
            database=database,
            providers=providers,
            hub=Hub(world.ids.uuid7),
            clock=self.clock,
            ids=world.ids,
            settings=world.settings,
            metrics=NoMetrics(),
            outbox=Outbox(boot, {channel: each[0].name for channel, each in providers.items()}),
            checkpoint=self.point,
        )
        await self.service.start()
        self.up_since = world.loop.time()
        self._pollers = {task for task in self.tasks if task is not asyncio.current_task()}

    @property
    def up(self) -> bool:
        return self.alive and self.up_since != float("inf")

    def end(self) -> None:
        """From this instant nothing of it has any effect."""
        self.alive = False
        for task in list(self.tasks):
            task.cancel()

    def keep(self, task: asyncio.Task[Any]) -> None:
        self.tasks[task] = None
        task.add_done_callback(self._done)

    def idle(self) -> bool:
        """Nothing is under way but the pollers' waiting."""
        return not self.database.writing and self.tasks.keys() <= self._pollers

    def ask(self, work: Callable[[Service], Coroutine[Any, Any, Any]]) -> None:
        """A request from outside; a crash cuts it off."""
        asyncio.create_task(work(self.service), name="request")  # noqa: RUF006 - the task factory keeps it

    def _done(self, task: asyncio.Task[Any]) -> None:
        self.tasks.pop(task, None)
        if self.alive and not task.cancelled() and task.exception() is not None:
            self._world.fail(task.exception())

    def _carriers(self, channel: Channel) -> tuple[Carrier, ...]:
        world = self._world
        return tuple(
            Carrier(
                channel,
                name,
                caps,
                world.books,
                world.calls,
                world.dice,
                world.weather_of,
                world.phones.delivered,
                self.point,
                quick=world.has_two,
            )
            for name, caps in world.carriers[channel].items()
        )
