"""One schedule from a seed: the shipped service with everything around it made of dice, in virtual time.

`Schedule(seed).run()` plays half an hour. A crash drops the service with all it remembers between any two steps, and a
new one starts on the same database. Never reads a real clock.
"""

import asyncio
import hashlib
import heapq
import logging
import math
import random
import sqlite3
from collections import deque
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from typing import Any

from alerting.channels.base import Caps
from alerting.core.model import Settings
from alerting.service import Service
from devices.model import Channel
from tests.simulation.calls import Calls
from tests.simulation.carriers import CAPS, WEATHERS, Books, Mood
from tests.simulation.ending import judge_the_end
from tests.simulation.ids import SeededIds
from tests.simulation.inline import engine
from tests.simulation.judge import Broken, Judge
from tests.simulation.laws import Truth
from tests.simulation.life import Life
from tests.simulation.phones import Phones
from tests.simulation.quiet import Quiet
from tests.simulation.senders import Senders
from tests.simulation.town import people_it, template
from tests.simulation.virtual import VirtualLoop, WallClock
from tests.unit.builders import NOW

night_s = 1800.0
settle_s = 120.0
"""After the night nothing new happens: what is under way comes to its end."""
late_s = 1.3
"""So late a due time may be met by a service that is up: the second of the contract, and the database's pauses."""
burst_wide_s = 1.5
start_s = 3.0
"""After a start what a crash left is found within this time."""
two_share = 0.25
CRASH_POINTS = frozenset(
    {"before_commit", "committed", "before_post", "after_post", "before_submit", "answered", "reconciled"}
)
_REFERENCE = "SELECT reference FROM incidents WHERE id = ?"


class Schedule:
    """`run` plays it and raises Broken where a law does not hold; `digest` is what happened, in one word."""

    def __init__(self, seed: int, *, leaps: bool = True, hurries: bool = True) -> None:
        """`leaps` over what is empty, `hurries` through the pollers' empty rounds: both only save time."""
        self.leaps = leaps
        self.hurries = hurries
        self.seed = seed
        self.dice = random.Random(seed)
        self.begins = NOW
        self.loop = VirtualLoop()
        self.wall = WallClock(self.loop, NOW)
        self.ids = SeededIds(random.Random(seed))
        self._burst_s = self.dice.choice((0.0, 12.0, 15.0, 20.0, 25.0, 25.0))
        self.sleepers = self.dice.random() < 0.1
        """Nobody answers anything."""
        self.settings = Settings(sms_two_way=self.dice.random() < 0.5)
        self.books = Books()
        self.calls = Calls(self.loop.time, lambda told: self.fail(Broken(told)))
        self._chances = random.Random(f"another carrier {seed}")
        self.has_two = self._chances.random() < two_share
        """SMS and voice have a second carrier: by dice of its own, so that the other seeds stay what they were."""
        self.planned: dict[str, float] = {}
        """Page -> when it was written, by the clock that nobody sets."""
        self.carriers = {channel: self._carriers_of(channel) for channel in Channel}
        self.phones = Phones(self)
        self.senders = Senders(self)
        self.crashes = 0
        self.tail: deque[str] = deque(maxlen=25)
        self._digest = hashlib.blake2b(digest_size=12)
        self._weather: dict[str, Mapping[Mood, int]] = {}
        self._agenda: list[float] = []
        self._life: Life | None = None
        self._until_crash = 0
        self._said = 0
        self._next_due = float("inf")

    @property
    def digest(self) -> str:
        return self._digest.hexdigest()

    def run(self) -> None:
        with engine().connect() as self.connection, _errors_fail(self):
            driver = self.connection.connection.driver_connection
            assert isinstance(driver, sqlite3.Connection)
            self.driver = driver
            template().backup(driver)
            with self.connection.begin():
                roster = people_it(self.connection, self.dice, night_s)
            self.truth = Truth(roster)
            self.judge = Judge(driver, self.truth.laws())
            self.quiet = Quiet(driver)
            self._play()

    def _play(self) -> None:
        self._end: asyncio.Future[None] = self.loop.create_future()
        self.loop.set_task_factory(self._task)
        self.loop.on_idle = self._before_a_leap
        try:
            self._plan()
            self.loop.run_until_complete(self._end)
            self._note_submissions()
            judge_the_end(self)
        finally:
            if self._life is not None:
                self._life.end()
            self.loop.run_until_complete(asyncio.sleep(0))
            self.loop.close()

    def _plan(self) -> None:
        dice = self.dice
        self._change_weather()
        self.at(0.0, self._start)
        self.senders.plan(night_s)
        for _ in range(dice.randint(6, 20)):
            self.at(dice.uniform(10, night_s), self.phones.at_random)
        for _ in range(dice.choice((0, 1, 3))):
            self.at(dice.uniform(0, night_s), self._change_weather)
        for _ in range(dice.choice((0, 0, 1, 2))):
            by = dice.choice((-3600.0, -600.0, 3.0, 60.0, 7200.0))
            self.at(dice.uniform(0, night_s), partial(self._set_clock, by))
        for _ in range(dice.choice((0, 1, 1, 2, 3))):
            self.at(dice.uniform(0, night_s), self._arm_a_crash)
        self.at(night_s, self._morning)
        self.at(night_s + settle_s, self._over)

    def _over(self) -> None:
        if not self._end.done():
            self._end.set_result(None)

    def at(self, moment: float, work: Callable[[], object]) -> None:
        """Put something on the agenda: `moment` seconds into the night, or with the burst after it.

        The world acts in bursts: what happens within a second or two meets, and between them is nothing but waiting.
        """
        if self._burst_s and 0 < moment < night_s - self._burst_s:
            moment = math.ceil(moment / self._burst_s) * self._burst_s + self.dice.uniform(0, burst_wide_s)
        moment = max(moment, self.loop.time())
        heapq.heappush(self._agenda, moment)

        def due() -> None:
            heapq.heappop(self._agenda)
            self.quiet.stir(self.loop.time())
            work()

        self.loop.call_at(moment, due)

    def ask(self, work: Callable[[Service], Coroutine[Any, Any, Any]]) -> bool:
        """A request from outside; False when nobody is there to hear it."""
        if self._life is None or not self._life.up:
            return False
        self._life.ask(work)
        return True

    def life_now(self) -> datetime:
        """What the service's clock shows."""
        return self._life.clock.now() if self._life else self.wall.now()

    def reference_of(self, incident_id: str) -> str:
        return str(self.driver.execute(_REFERENCE, (incident_id,)).fetchone()[0])

    def weather_of(self, carrier: str) -> Mapping[Mood, int]:
        return self._weather[carrier]

    def _carriers_of(self, channel: Channel) -> Mapping[str, Caps]:
        """Name -> what it can do, the first choice first."""
        first, second = f"sim-{channel.value}", f"second-{channel.value}"
        if not self.has_two or channel is Channel.APP:
            return {first: CAPS[0]}
        return {name: self._chances.choice(CAPS) for name in (first, second)}

    def pause_s(self) -> float:
        """The hop to the writer: mostly nothing, sometimes the disk is slow."""
        drawn = (int(self.loop.time() * 1000) * 2_654_435_761 ^ self.seed) >> 7
        return (0.0, 0.0, 0.0, 0.004, 0.02)[drawn % 5]

    def passed(self, life: Life, name: str) -> None:
        """The service is at a point between two steps."""
        if name == "committed":
            self._look(life)
        if self._until_crash > 0 and name in CRASH_POINTS:
            self._until_crash -= 1
            if self._until_crash == 0:
                self._crash(life, name)
                raise asyncio.CancelledError

    def fail(self, cause: BaseException | None) -> None:
        if not self._end.done():
            self._end.set_exception(cause or Broken("?"))

    def _start(self) -> None:
        self._life = Life(self)
        self._life.keep(self.loop.create_task(self._life.start(), name="start"))

    def _set_clock(self, seconds: float) -> None:
        """Forward only while the service sees it: time that passed while nothing ran looks exactly alike."""
        if seconds < 0 or (self._life is not None and self._life.up):
            self.wall.set_by(seconds)

    def _arm_a_crash(self) -> None:
        self._until_crash = self.dice.randint(1, 40)

    def _crash(self, life: Life, name: str) -> None:
        self.crashes += 1
        self.wall.set_by(-life.clock.jumped().total_seconds())  # it died before it could follow
        self._tell(f"CRASH at {name}")
        life.end()
        self._life = None
        self.at(self.loop.time() + self.dice.choice((0.1, 1.0, 5.0, 40.0)), self._start)

    def _morning(self) -> None:
        self._until_crash = 0
        self._weather = {name: WEATHERS[0] for carriers in self.carriers.values() for name in carriers}

    def _change_weather(self) -> None:
        mild = (*WEATHERS[:3], *WEATHERS[:3])
        for carriers in self.carriers.values():
            for index, name in enumerate(carriers):
                dice = self._chances if index else self.dice
                self._weather[name] = dice.choice((*mild, *WEATHERS))

    def _task(self, loop: asyncio.AbstractEventLoop, work: Any, **more: Any) -> asyncio.Task[Any]:
        task: asyncio.Task[Any] = asyncio.Task(work, loop=loop, **more)
        if self._life is not None and self._life.alive:
            self._life.keep(task)
        return task

    def _look(self, life: Life) -> None:
        now = self.loop.time()
        try:
            changes = self.judge.look(life.clock.now(), now)
        except Broken as broken:
            self.fail(broken)
            raise asyncio.CancelledError from None
        self._note_submissions()
        if changes:
            self.quiet.stir(now)
            for change in changes:
                self.planned |= {str(page.data.get("notification")): now for page in change.pages}
                for line in change.lines:
                    self._tell(f"{line.incident_id[:12]} {line.kind} {line.reason} {line.actor} {_short(line.data)}")
            open_ = [each.due_mono for each in self.judge.standing.values() if each.open]
            self._next_due = min(open_, default=float("inf"))

    def _note_submissions(self) -> None:
        for submission in self.books.said[self._said :]:
            self._tell(f"{submission.incident_id[:12]} -> {submission.channel} {submission.recipient_id}")
        self._said = len(self.books.said)

    def _tell(self, text: str) -> None:
        line = f"{self.loop.time():9.3f} {text}"
        self.tail.append(line)
        self._digest.update(line.encode())

    def _before_a_leap(self, following: float) -> float:
        life = self._life
        if life is None or not life.up:
            return 0.0
        if following > max(self._next_due + late_s, life.up_since + start_s):
            self.fail(Broken(f"a due time passed {following - self._next_due:.1f} s ago, and nobody looked"))
            return 0.0
        if not self.leaps or not life.idle():
            self.quiet.stir(self.loop.time())
            return 0.0
        agenda = self._agenda[0] if self._agenda else following
        return self.quiet.skip(self.loop.time(), following, agenda, life.clock.now())


def _short(data: Mapping[str, Any]) -> str:
    keys = ("device", "code", "recipient", "channel", "purpose", "step", "work", "receipt", "condition", "overlay")
    return " ".join(str(data[key]) for key in keys if key in data)


class _Errors(logging.Handler):
    def __init__(self, world: Schedule) -> None:
        super().__init__(logging.ERROR)
        self._world = world

    def emit(self, record: logging.LogRecord) -> None:
        cause = record.exc_info[1] if record.exc_info else None
        self._world.fail(cause or Broken(f"an error was logged: {record.getMessage()}"))


@contextmanager
def _errors_fail(world: Schedule) -> Iterator[None]:
    """Whatever the service logs as an error breaks the night; warnings are nobody's business."""
    logger, handler = logging.getLogger("alerting"), _Errors(world)
    before = logger.level, logger.propagate
    logger.addHandler(handler)
    logger.setLevel(logging.ERROR)
    logger.propagate = False
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before[0])
        logger.propagate = before[1]
