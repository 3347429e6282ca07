"""The devices' side in a process of its own: publishes at a rate, in a burst, or as fast as receipts come back.

Stamps are seconds of the machine's monotonic clock. Never knows what became of an alarm beyond its device receipt.
"""

import asyncio
import random
import time
from collections.abc import Sequence
from contextlib import suppress

import msgspec

from benchmarks.child import Answer, Handler, serve
from benchmarks.numbering import device_id
from gengfu.clock import SystemClock
from simulators.event_ids import event_id_at
from simulators.wire import Wire

tick_s = 0.005
storm_tick_s = 0.005
broker_window = 20_000
"""QoS 1 messages that the broker has not acknowledged; packet ids end at 65,535."""


class _Receipt(msgspec.Struct):
    event_id: str
    refused: str | None = None


_read = msgspec.json.Decoder(_Receipt).decode


class Generator:
    """Commands: `connect`, `paced`, `storm`, `flood`, `burst`, `relay`, `sweep`."""

    def __init__(self) -> None:
        self._now = SystemClock().now
        self._alarms: Wire | None = None
        self._rest: Wire | None = None
        self._address: Answer = {}
        self._numbers: dict[str, int] = {}
        self._receipts: dict[int, float] = {}
        self._refused = 0
        self._counted = 0
        self._counting = False
        self._heard = asyncio.Event()

    async def connect(self, words: Answer) -> Answer:
        """Two connections with one account that may speak for all devices: telemetry never stands before an alarm."""
        self._address = words
        self._alarms = await self._open("alarms", Wire(on_message=self._on_receipt))
        await self._alarms.subscribe("gengfu/v1/+/down/receipt")
        self._rest = await self._open("rest", Wire())
        return {}

    async def paced(self, words: Answer) -> Answer:
        """`rate` alarms and `telemetry` messages a second for `seconds`; alarm n comes from device `first` + n. Each
        alarm's moment is drawn evenly from its own slot. Waits `settle` seconds at most for the last receipts."""
        self._begin()
        alarms, rest = self._lines()
        dice = random.Random(words["first"])
        count = round(words["rate"] * words["seconds"])
        numbers = range(words["first"], words["first"] + count)
        plan = [(n + dice.random()) / words["rate"] for n in range(count)]
        bodies = [self._event(n, words["code"]) for n in numbers]
        topics = [_topic(n, words["kind"]) for n in numbers]
        telemetry = _Telemetry(words["telemetry"], words["devices"])
        published: dict[int, float] = {}
        cpu, started = time.process_time(), time.monotonic()
        at = 0
        while (elapsed := time.monotonic() - started) < words["seconds"] or at < count:
            while at < count and plan[at] <= elapsed:
                published[numbers[at]] = time.monotonic()
                alarms.publish(topics[at], bodies[at])
                await alarms.flush()
                at += 1
            telemetry.send(rest, elapsed)
            await rest.flush()
            now = time.monotonic() - started
            until = min(plan[at] if at < count else now + tick_s, elapsed + tick_s)
            await asyncio.sleep(max(0.0, until - now))
        ended = time.monotonic()
        cpu = time.process_time() - cpu
        if words["kind"] == "event":
            await self._settled(count, words["settle"])
        return self._told(published, cpu, ended - started) | {"telemetry": telemetry.sent}

    async def storm(self, words: Answer) -> Answer:
        """`count` alarms in `seconds`, each from a device of its own; the last `fires` are fire, the others water."""
        self._begin()
        alarms, _ = self._lines()
        count, fires, seconds = words["count"], words["fires"], words["seconds"]
        bodies = [self._event(n, "fire.smoke" if n >= count - fires else "water.leak") for n in range(count)]
        topics = [_topic(n, words["kind"]) for n in range(count)]
        published: dict[int, float] = {}
        cpu, started = time.process_time(), time.monotonic()
        at = 0
        while at < count:
            due = min(count, int((time.monotonic() - started) / seconds * count) + 1)
            stamp = time.monotonic()
            for n in range(at, due):
                alarms.publish(topics[n], bodies[n])
                published[n] = stamp
            at = due
            await alarms.flush()
            await alarms.below(broker_window)
            await asyncio.sleep(storm_tick_s)
        took = time.monotonic() - started
        if words["kind"] == "event":
            await self._settled(count, words["settle"])
        return self._told(published, time.process_time() - cpu, took)

    async def flood(self, words: Answer) -> Answer:
        """New events of `devices` devices, `window` of them without receipt at any time, for `seconds`; receipts are
        counted after the first `warmup` seconds."""
        self._begin()
        self._counting = True
        alarms, _ = self._lines()
        topics = [_topic(n, "event") for n in range(words["devices"])]
        sent = 0
        cpu, started = time.process_time(), time.monotonic()
        mark: tuple[int, float] | None = None
        while (now := time.monotonic()) - started < words["warmup"] + words["seconds"]:
            if mark is None and now - started >= words["warmup"]:
                mark = (self._counted, now)
            for _ in range(words["window"] - (sent - self._counted)):
                alarms.publish(topics[sent % len(topics)], self._event(sent, words["code"]))
                sent += 1
            await alarms.flush()
            await self._wait(0.1)
        assert mark is not None
        count, took = self._counted - mark[0], time.monotonic() - mark[1]
        await self._all_counted(sent, words["settle"])
        self._counting = False
        return {
            "count": count,
            "seconds": took,
            "sent": sent,
            "receipts": self._counted,
            "refused": self._refused,
            "cpu": time.process_time() - cpu,
        }

    async def burst(self, words: Answer) -> Answer:
        """`count` new events of `devices` devices, all at once; waits for the receipts."""
        self._begin()
        self._counting = True
        alarms, _ = self._lines()
        for n in range(words["count"]):
            alarms.publish(_topic(n % words["devices"], "event"), self._event(n, words["code"]))
        await alarms.flush()
        await self._all_counted(words["count"], words["settle"])
        self._counting = False
        return {"receipts": self._counted, "refused": self._refused}

    async def relay(self, words: Answer) -> Answer:
        """The same to mosquitto_sub: what it has printed takes the place of receipts."""
        alarms, _ = self._lines()
        topics = [_topic(n, "bench") for n in range(words["devices"])]
        command = [words["program"], "-h", self._address["host"], "-p", str(self._address["port"])]
        account = ["-u", self._address["username"], "-P", self._address["password"], "-V", "5", "-q", "1"]
        watched = await asyncio.create_subprocess_exec(
            *words["unbuffered"],
            *command,
            *account,
            *("-D", "connect", "receive-maximum", str(words["receive_maximum"])),
            *("-t", "gengfu/v1/+/up/bench", "-F", "x"),
            stdout=asyncio.subprocess.PIPE,
        )
        assert watched.stdout is not None
        await asyncio.sleep(0.5)
        seen = sent = 0
        started = time.monotonic()
        mark: tuple[int, float] | None = None
        while (now := time.monotonic()) - started < words["warmup"] + words["seconds"]:
            if mark is None and now - started >= words["warmup"]:
                mark = (seen, now)
            for _ in range(words["window"] - (sent - seen)):
                alarms.publish(topics[sent % len(topics)], self._event(sent, words["code"]))
                sent += 1
            await alarms.flush()
            with suppress(TimeoutError):
                seen += (await asyncio.wait_for(watched.stdout.read(65_536), 1.0)).count(b"\n")
        assert mark is not None
        count, took = seen - mark[0], time.monotonic() - mark[1]
        watched.terminate()
        await watched.communicate()
        return {"count": count, "seconds": took, "sent": sent}

    async def sweep(self, words: Answer) -> Answer:
        """One telemetry message of each of `devices` devices, `rate` a second."""
        _, rest = self._lines()
        telemetry = _Telemetry(words["rate"], words["devices"])
        started = time.monotonic()
        while telemetry.sent < words["devices"]:
            telemetry.send(rest, time.monotonic() - started)
            await rest.flush()
            await asyncio.sleep(tick_s)
        return {"sent": telemetry.sent}

    def _lines(self) -> tuple[Wire, Wire]:
        if self._alarms is None or self._rest is None or self._alarms.closed.is_set() or self._rest.closed.is_set():
            raise RuntimeError("the broker has closed a connection")
        return self._alarms, self._rest

    async def _open(self, lane: str, wire: Wire) -> Wire:
        told = self._address
        await wire.connect(told["host"], told["port"], f"bench-{lane}", told["username"], told["password"])
        return wire

    def _begin(self) -> None:
        self._numbers.clear()
        self._receipts.clear()
        self._counted = self._refused = 0

    def _event(self, number: int, code: str) -> bytes:
        now = self._now()
        event_id = event_id_at(now)
        if not self._counting:
            self._numbers[event_id] = number
        return msgspec.json.encode(
            {"event_id": event_id, "code": code, "state": "raised", "observed_at": now.isoformat()}
        )

    def _on_receipt(self, topic: str, payload: bytes) -> None:
        self._heard.set()
        if self._counting:
            self._counted += 1
            self._refused += b'"refused"' in payload
            return
        receipt = _read(payload)
        number = self._numbers.get(receipt.event_id)
        if number is not None:
            self._receipts.setdefault(number, time.monotonic())
            self._refused += receipt.refused is not None

    async def _settled(self, count: int, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while len(self._receipts) < count:
                    await self._wait(1.0)

    async def _all_counted(self, count: int, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self._counted < count:
                    await self._wait(1.0)

    async def _wait(self, seconds: float) -> None:
        self._heard.clear()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._heard.wait(), seconds)

    def _told(self, published: dict[int, float], cpu: float, seconds: float) -> Answer:
        return {
            "published": list(published.items()),
            "receipts": list(self._receipts.items()),
            "refused": self._refused,
            "cpu": cpu,
            "seconds": seconds,
        }


class _Telemetry:
    """Readings of many devices in turn."""

    def __init__(self, rate: float, devices: int) -> None:
        self.sent = 0
        self._rate = rate
        self._topics: Sequence[bytes] = [_topic(n, "telemetry") for n in range(devices)]

    def send(self, wire: Wire, elapsed_s: float) -> None:
        """What is due and not sent yet, into the line's buffer."""
        for _ in range(int(self._rate * elapsed_s) - self.sent):
            topic = self._topics[self.sent % len(self._topics)]
            wire.publish(topic, b'{"values":{"temperature_c":21.5,"n":%d},"battery":97}' % self.sent, 0)
            self.sent += 1


def _topic(number: int, kind: str) -> bytes:
    return f"gengfu/v1/{device_id(number)}/up/{kind}".encode()


def handlers() -> dict[str, Handler]:
    generator = Generator()
    return {
        "connect": generator.connect,
        "paced": generator.paced,
        "storm": generator.storm,
        "flood": generator.flood,
        "burst": generator.burst,
        "relay": generator.relay,
        "sweep": generator.sweep,
    }


if __name__ == "__main__":
    serve(handlers)
