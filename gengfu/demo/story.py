"""Plays a scenario on a stage: devices speak, people answer, the provider fails; every witness reports to the record.

Never judges, and never reaches into the service: it has devices, phones, apps and the live stream.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterable, Callable, Mapping
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

import msgspec

from devices.model import Channel
from devices.signals import Scalar
from gengfu.demo.cast import Cast
from gengfu.demo.interlock import arrange
from gengfu.demo.judge import Difference, calls_under_way, judge
from gengfu.demo.steps import Record, Step, StepKind
from gengfu.demo.witness import of_app, of_device, of_entry, of_phone, of_stream
from gengfu.stage import Stage
from simulators.device import Habits, VirtualDevice
from simulators.ledger import EventLedger, LedgerLine
from simulators.obeying import OFF, Obeys, usual_fault
from simulators.phone import Answers, Behaviour, PhoneEvent
from simulators.scenario import AppTaps, DeviceScript, PhoneScript, ProviderFault, Scenario, State
from simulators.worker_app import Shown

quiet_s = 1.5
"""A story has settled when everything expected came and nothing has happened for this long."""
unsent_grace_s = 0.5


class Story:
    """`async with Story(...)`: everybody is in place. Then `play`, and wait for `settled` or `over`.

    speed: seconds of the story per second. People and devices follow it; the product's own timers and the provider's
    faults keep real time.
    """

    def __init__(self, stage: Stage, scenario: Scenario, speed: float, record: Record, cast: Cast) -> None:
        self._stage = stage
        self._scenario = scenario
        self._speed = speed
        self._record = record
        self._cast = cast
        self._faults: list[ProviderFault] = []
        self._devices: dict[str, _StoryDevice] = {}
        self._began = 0.0
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> "Story":
        try:
            await self._take_places()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._stack.aclose()

    def differences(self) -> list[Difference]:
        """What differs from the scenario so far."""
        return judge(self._scenario.expect, self._record.steps, self._speed)

    async def play(self) -> None:
        """Let everything of the scenario happen in its time; returns after the last event."""
        clock = asyncio.get_running_loop().time
        self._began = clock()
        for seconds, _, happen in sorted(self._programme(), key=lambda entry: entry[:2]):
            await asyncio.sleep(self._began + seconds - clock())
            happen()

    async def settled(self) -> None:
        """Everything expected has happened, no call is under way, and it is quiet. May never come."""
        while True:
            self._record.changed.clear()
            try:
                async with asyncio.timeout(quiet_s):
                    await self._record.changed.wait()
            except TimeoutError:
                if not self.differences() and not calls_under_way(self._record.steps):
                    return
                await self._record.changed.wait()

    async def over(self) -> None:
        """The scenario's time is over; where the product's own time is needed for what is expected, that too."""
        lasts_s, clock = self._scenario.lasts_s, asyncio.get_running_loop().time
        await asyncio.sleep(self._began + lasts_s / self._speed - clock())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(self._began + lasts_s / min(self._speed, 1.0)):
                await self.settled()
        self._record.drain()

    def _programme(self) -> list[tuple[float, int, Callable[[], None]]]:
        """(real second, rank, what happens): at one moment faults begin before devices speak."""
        scenario, speed = self._scenario, self._speed
        entries: list[tuple[float, int, Callable[[], None]]] = []
        for fault in scenario.faults:
            entries.append((fault.at_s, 0, partial(self._fault, fault, True)))
            entries.append((fault.until_s, 0, partial(self._fault, fault, False)))
        for event in scenario.events:
            device = self._devices[event.device]
            speak = device.raise_alarm if event.state is State.RAISED else device.restore
            entries.append((event.at_s / speed, 1, partial(_call, speak, event.code, event.values)))
        reports = ((each, self._devices[each.device]) for each in scenario.telemetry)
        entries.extend((each.at_s / speed, 1, partial(device.report, each.values)) for each, device in reports)
        return entries

    async def _take_places(self) -> None:
        stage, now = self._stage, self._stage.clock.now
        await arrange(stage, self._scenario)
        stage.emulator.phones.default = Behaviour(answers=Answers.NEVER, keys="")
        stage.emulator.phones.on_event = self._of_phone
        # A provider that never answers would hold the end up for the dispatcher's whole patience.
        self._stack.push_async_callback(stage.app.service.dispatcher.stop, unsent_grace_s)
        subscription = stage.app.hub.subscribe(None, None)
        self._stack.callback(subscription.close)
        listening = asyncio.create_task(self._listen(subscription))
        self._stack.push_async_callback(_end, listening)
        for person_id, script in self._scenario.phones.items():
            await self._person(person_id, script)
        witness = _Witness(stage.folder / "devices.jsonl", self._of_device)
        self._stack.callback(witness.close)
        speaking = {event.device for event in self._scenario.events}
        for device_id in sorted(speaking | {report.device for report in self._scenario.telemetry}):
            device = _StoryDevice(
                device_id,
                stage.city.device(device_id).kind,
                stage.broker_address(),
                stage.device_secrets[device_id],
                now,
                ledger=witness,
                habits=Habits(obeys=self._obeys(device_id)),
            )
            self._devices[device_id] = device
            await device.start()
            self._stack.push_async_callback(device.stop)

    def _obeys(self, device_id: str) -> Obeys:
        script = self._scenario.devices.get(device_id, DeviceScript())
        return Obeys(script.answers, script.reason or usual_fault, script.answers_after_s / self._speed)

    async def _person(self, person_id: str, script: PhoneScript) -> None:
        stage = self._stage
        contact = stage.city.person(person_id).contact(Channel.VOICE)
        if contact is not None:
            stage.emulator.phones.set(contact.address, behaviour(script))
        if script.app_online:
            app = await stage.worker_app(
                person_id,
                taps="accept" if script.app_taps is AppTaps.ACCEPT else None,
                taps_after_s=script.app_taps_after_s / self._speed,
                on_event=partial(self._of_app, person_id),
            )
            await self._stack.enter_async_context(app)

    async def _listen(self, subscription: AsyncIterable[bytes]) -> None:
        async for chunk in subscription:
            told_at = self._stage.clock.now()
            for entry in of_stream(chunk):
                made = of_entry(entry, told_at, self._cast.speaker.language)
                if made is not None:
                    self._record.note(*made)

    def _of_phone(self, event: PhoneEvent) -> None:
        self._record.note(of_phone(event, self._cast.recipient_of(event.number)), event.at)

    def _of_device(self, line: LedgerLine) -> None:
        step = of_device(line)
        if step is not None:
            self._record.note(step, line.at)

    def _of_app(self, person_id: str, what: str, shown: Shown) -> None:
        step = of_app(what, shown, person_id)
        if step is not None:
            self._record.note(step, shown.at if what == "shown" else self._stage.clock.now())

    def _fault(self, fault: ProviderFault, begins: bool) -> None:
        if begins:
            self._faults.append(fault)
        else:
            self._faults.remove(fault)
        board = self._stage.emulator.faults
        board.clear()
        for each in self._faults:
            board.set(each.kind, channel=None if each.channel is None else each.channel.value)
        kind = StepKind.FAULT_BEGAN if begins else StepKind.FAULT_ENDED
        step = Step(kind=kind, ms=0.0, channel=fault.channel, text=fault.kind.value)
        self._record.note(step, self._stage.clock.now())


class _StoryDevice(VirtualDevice):
    """A device that also reports values when the story says so; what it was switched off from stays off."""

    def report(self, values: Mapping[str, Scalar]) -> None:
        measured = dict(values)
        for action in self.obedience.done:
            measured |= {name: value for name, value in OFF[action].items() if name in measured}
        self._line.publish(self._up("telemetry"), msgspec.json.encode({"values": measured}), qos=0)


class _Witness(EventLedger):
    """The devices' ledger, read while it is written."""

    def __init__(self, path: Path, tell: Callable[[LedgerLine], None]) -> None:
        super().__init__(path, fsync=False)
        self._tell = tell

    def append(self, *lines: LedgerLine) -> None:
        super().append(*lines)
        for line in lines:
            self._tell(line)


def behaviour(script: PhoneScript) -> Behaviour:
    """What a person does, as his telephone knows it."""
    return Behaviour(
        answers=script.answers,
        answers_after_s=script.answers_after_s,
        keys=script.presses,
        reply=script.replies,
        reply_after_s=script.replies_after_s,
    )


def _call(speak: Callable[[str, Mapping[str, Scalar]], str], code: str, values: Mapping[str, Scalar]) -> None:
    speak(code, values)


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
