"""The vocabulary of the stories: raise an alarm, expect an SMS, a call, an app message, and nothing more.

Every message at any phone or app belongs to an expectation; one that belongs to none fails the test. Never looks inside
the service: phones, apps, HTTP and the broker are all it knows, apart from the database that a test breaks on purpose.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from alerting.ports import Priority
from alerting.store import policy_rows
from alerting.store.policy_rows import PolicyRow
from api.permissions import Role as KeyRole
from devices.model import Channel
from gengfu.stage import Stage
from simulators.city import City
from simulators.device import Habits, VirtualDevice
from simulators.line import Backoff
from simulators.phone import Answers, Behaviour, CallReceived, SmsReceived
from simulators.worker_app import Shown, WorkerApp
from tests.acceptance.outside import Desk, Faults, StoryClock

patience_s = 5.0
"""How long a message that must come may take: the product's ceiling."""
settle_s = 0.3
"""Time given to a message that must not come, at the end of every story."""
time_scale = 0.01
"""A phone that rings out does so in 0.25 s, an answered one is picked up after 0.02 s."""
SILENT = Behaviour(answers=Answers.NEVER)
"""A phone whose owner does not pick up. The default: nobody answers unless the story says so."""
EAGER = Habits(backoff=Backoff(first_s=0.2, most_s=1.0))

LADDER: dict[str, Any] = {
    "steps": [
        {"after_s": 0, "to": ["grid_worker"], "channels": ["sms", "voice", "app"]},
        {"after_s": 1, "to": ["deputy"], "channels": ["sms", "voice", "app"]},
        {"after_s": 2, "to": ["community_duty"], "channels": ["sms", "voice", "app"]},
    ],
    "loop": {"every_s": 600, "to": ["control_room"]},
}
"""The contract's ladder with steps of one second."""
PATIENT_LADDER: dict[str, Any] = {
    **LADDER,
    "steps": [{**step, "after_s": 300 * number} for number, step in enumerate(LADDER["steps"])],
}
"""The same with steps so long that none comes by itself."""


@dataclass(slots=True)
class Story:
    """One stage, everybody's phone and app, and what of it has been expected so far."""

    stage: Stage
    clock: StoryClock
    desk: Desk
    apps: dict[str, WorkerApp] = field(default_factory=dict)
    faults: Faults = field(default_factory=Faults)
    troubles_expected: bool = False
    """The provider may meet refused callbacks: the story breaks the database under them."""
    numbers: dict[str, str] = field(default_factory=dict)
    """Of people whom the city does not know, such as a household that a story registers."""
    _claimed: set[str] = field(default_factory=set)
    _devices: list[VirtualDevice] = field(default_factory=list)
    _signed_in: dict[str, AsyncExitStack] = field(default_factory=dict)

    # ---- what happens -----------------------------------------------------------------------------------------------

    async def device(self, device_id: str, habits: Habits = EAGER) -> VirtualDevice:
        """A registered device, connected with its own login."""
        device = self.stage.device(device_id, habits)
        await device.start()
        self._devices.append(device)
        return device

    async def policy(self, document: dict[str, Any]) -> None:
        """From now on every incident gets this policy."""
        row = PolicyRow("story", 0, document, 1)
        database = self.stage.app.database
        if not await database.write(
            Priority.ADMINISTRATION, lambda conn: policy_rows.replace(conn, "story", 1, 0, document)
        ):
            await database.write(
                Priority.ADMINISTRATION, lambda conn: policy_rows.add(conn, self.stage.ids.uuid7(), row)
            )

    def presses(self, person: str, keys: str, *, answers_after_s: float = 2.0) -> None:
        """From now on this person answers calls and presses these keys (seconds of the story)."""
        self.behaves(person, Behaviour(keys=keys, answers_after_s=answers_after_s))

    def behaves(self, person: str, behaviour: Behaviour) -> None:
        """From now on this person's phone behaves so."""
        self.stage.emulator.phones.set(self.number(person), behaviour)

    async def sign_in(self, person: str) -> WorkerApp:
        """The person's app holds its live stream open."""
        stack = AsyncExitStack()
        self.apps[person] = app = await stack.enter_async_context(await self.stage.worker_app(person))
        self._signed_in[person] = stack
        return app

    async def sign_out(self, *persons: str) -> None:
        """These people's apps are closed; what they showed still counts."""
        for person in persons:
            await self._signed_in.pop(person).aclose()

    async def desk_of(self, person: str) -> Desk:
        """The HTTP client of one worker; enter it before use."""
        return Desk(self.stage.app.http_url, await self.stage.key(KeyRole.GRID_WORKER, person))

    # ---- what is expected -------------------------------------------------------------------------------------------

    async def expect_sms(self, person: str, *containing: str, within_s: float = patience_s) -> SmsReceived:
        """The next text on this person's phone, with all these words."""
        number = self.number(person)

        def first() -> SmsReceived | None:
            texts = self.stage.emulator.phones.sms
            return next((text for text in texts if text.to == number and text.sid not in self._claimed), None)

        await self._come(f"an SMS to {person}", lambda: first() is not None, within_s)
        text = first()
        assert text is not None
        self._claim(text.sid, text.body, containing)
        return text

    async def expect_call(self, person: str, *containing: str, within_s: float = patience_s) -> CallReceived:
        """The next call to this person's phone, when it has ended, with all these words heard."""
        number = self.number(person)

        def first() -> CallReceived | None:
            calls = self.stage.emulator.phones.calls
            return next((call for call in calls if call.to == number and call.sid not in self._claimed), None)

        def ended() -> bool:
            call = first()
            return call is not None and call.outcome != ""

        await self._come(f"a call to {person}", ended, within_s)
        call = first()
        assert call is not None
        self._claim(call.sid, call.words(), containing)
        return call

    async def expect_app(self, person: str, *containing: str, within_s: float = patience_s) -> Shown:
        """The next message in this person's app, with all these words in title or body."""
        app = self.apps[person]

        def first() -> Shown | None:
            return next((shown for shown in app.shown if shown.notification_id not in self._claimed), None)

        try:
            await app.until(lambda _: first() is not None, within_s)
        except TimeoutError:
            raise AssertionError(f"no app message to {person} within {within_s} s; {self._unclaimed()}") from None
        shown = first()
        assert shown is not None
        self._claim(shown.notification_id, f"{shown.title} {shown.body}", containing)
        return shown

    async def expect_page(self, person: str, *containing: str, within_s: float = patience_s) -> SmsReceived:
        """A page on all three channels, of which SMS and app carry all these words. Returns the SMS."""
        text = await self.expect_sms(person, *containing, within_s=within_s)
        await self.expect_app(person, *containing, within_s=within_s)
        await self.expect_call(person, within_s=within_s)
        return text

    def claim(self, *sids: str) -> None:
        """These texts and calls, to a phone of nobody in the registry, are expected."""
        self._claimed.update(sids)

    async def expect_nothing_more(self, for_s: float = settle_s) -> None:
        """Nobody gets anything that was not expected, in this time either."""
        await asyncio.sleep(for_s)
        assert not self._unclaimed(), f"unexpected: {self._unclaimed()}"

    async def the_incident(self) -> dict[str, Any]:
        """The only incident there is, as the API shows it."""
        items = await self.desk.items("/api/v1/incidents")
        assert len(items) == 1, f"{len(items)} incidents: {items}"
        return items[0]

    async def timeline(self, incident_id: str, kind: str | None = None) -> list[dict[str, Any]]:
        """What was recorded of an incident, in order; `kind` keeps only these lines."""
        entries = await self.desk.items(f"/api/v1/incidents/{incident_id}/timeline?limit=500")
        return [entry for entry in entries if kind is None or entry["kind"] == kind]

    async def app_took(self, person: str) -> None:
        """Wait until it is recorded that this person's app has its pages: whatever follows is then told there too."""

        async def took() -> bool:
            path = f"/api/v1/notifications?channel=app&recipient_id={person}"
            return all(page["state"] == "provider_accepted" for page in await self.desk.items(path))

        await self.until(took)

    async def until(self, true: Callable[[], Any], within_s: float = patience_s) -> None:
        """Wait for a condition that nobody reports; `true` may be a coroutine function."""
        deadline = asyncio.get_running_loop().time() + within_s
        while True:
            found = true()
            if await found if asyncio.iscoroutine(found) else found:
                return
            assert asyncio.get_running_loop().time() < deadline, f"not so within {within_s} s; {self._unclaimed()}"
            await asyncio.sleep(0.02)

    # ---- the end ----------------------------------------------------------------------------------------------------

    async def judge(self) -> None:
        """Nothing unexpected came, no callback was refused, nothing was logged as an error."""
        await self.expect_nothing_more()
        troubles = list(self.stage.emulator.webhooks.troubles)
        assert self.troubles_expected or not troubles, f"the provider met refused callbacks: {troubles}"
        assert not self.faults.unexpected(), f"errors were logged: {self.faults.unexpected()}"

    async def end(self) -> None:
        """Devices and apps off."""
        await asyncio.gather(*(device.stop() for device in self._devices))
        await self.sign_out(*self._signed_in)

    def number(self, person: str) -> str:
        """The person's telephone number."""
        if person in self.numbers:
            return self.numbers[person]
        known = next(each for each in self.stage.city.people if each.id == person)
        point = known.contact(Channel.SMS)
        assert point is not None
        return point.address

    def _claim(self, key: str, words: str, containing: tuple[str, ...]) -> None:
        missing = [word for word in containing if word not in words]
        assert not missing, f"{missing} not in {words!r}"
        self._claimed.add(key)

    async def _come(self, what: str, come: Callable[[], bool], within_s: float) -> None:
        try:
            await self.stage.emulator.until(lambda _: come(), within_s)
        except TimeoutError:
            raise AssertionError(f"no {what} within {within_s} s; {self._unclaimed()}") from None

    def _unclaimed(self) -> list[str]:
        phones = self.stage.emulator.phones
        return [
            *(f"SMS to {s.to}: {s.body}" for s in phones.sms if s.sid not in self._claimed),
            *(f"call to {c.to}: {c.words()}" for c in phones.calls if c.sid not in self._claimed),
            *(
                f"app of {person}: {shown.title} {shown.body}"
                for person, app in self.apps.items()
                for shown in app.shown
                if shown.notification_id not in self._claimed
            ),
        ]


@asynccontextmanager
async def begin(
    folder: Path, database_url: str, city: City, *, starting: asyncio.Lock | None = None, **options: Any
) -> AsyncIterator[Story]:
    """A story on a fresh stage, with everybody signed in. `options` are the stage's.

    `starting`: held while the stage is set; a database is migrated there, and Alembic knows one migration at a time.
    """
    clock = StoryClock()
    faults = Faults()
    logging.getLogger().addHandler(faults)
    try:
        stage = Stage(
            folder,
            city,
            database_url=database_url,
            clock=clock,
            speech_seconds_per_char=1 / 4.5,
            **{"time_scale": time_scale, **options},
        )
        async with AsyncExitStack() as stack:
            async with starting or asyncio.Lock():
                await stack.enter_async_context(stage)
            stage.emulator.phones.default = SILENT
            async with Desk(stage.app.http_url, await stage.key(KeyRole.ADMINISTRATOR)) as desk:
                story = Story(stage, clock, desk, faults=faults)
                try:
                    for person in city.people:
                        await story.sign_in(person.id)
                    yield story
                finally:
                    await story.end()
    finally:
        logging.getLogger().removeHandler(faults)
