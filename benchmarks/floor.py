"""The floor: a bare subscriber that posts three requests for each fire and stores nothing. Same MQTT connection, same
HTTP client and same phone provider as the product's; it decides nothing and never retries.
"""

import asyncio
import base64
import time
from contextlib import suppress

import msgspec
from paho.mqtt.client import MQTTMessage

from alerting.channels.forms import form
from alerting.channels.http import Answer as HttpAnswer
from alerting.channels.http import VendorHttp
from benchmarks.child import Answer, Handler, serve
from benchmarks.numbering import device_number, phone
from gateway.connection import MqttConnection
from gateway.settings import Filter, GatewaySettings, Lane
from gengfu.clock import RandomIds

FLOOR_KIND = "floor"
"""A kind of topic that no service listens to, as long as `event`."""
connections_max = 200
deadline_s = 10.0
_text = "【火警】模拟1小区1栋1层101 室内烟感 08:47 接电话按1出动 编号K7F3P"
_twiml = '<Response><Gather numDigits="1"><Say language="cmn-CN">火警。模拟1小区，1栋101。</Say></Gather></Response>'


class _Event(msgspec.Struct):
    event_id: str
    code: str


_read = msgspec.json.Decoder(_Event).decode


class _Receiver:
    """Acknowledges at once."""

    def __init__(self, floor: "Floor") -> None:
        self.up = asyncio.Event()
        self.connection: MqttConnection | None = None
        self._floor = floor

    def session_began(self, generation: int) -> None:
        return

    def message_arrived(self, generation: int, message: MQTTMessage) -> None:
        if message.qos and self.connection is not None:
            self.connection.ack(generation, message.mid)
        self._floor.message(message)

    def connection_changed(self, up: bool) -> None:
        if up:
            self.up.set()


class Floor:
    """Commands: `start`, `wait`, `results`."""

    def __init__(self) -> None:
        self._http: VendorHttp | None = None
        self._url = ""
        self._posts: dict[str, str] = {}
        self._third: list[tuple[int, float]] = []
        self._failed = 0
        self._control = ""
        self._progress = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, words: Answer) -> Answer:
        """Connect both lanes; from now on every alarm becomes three requests."""
        settings = GatewaySettings(
            host=words["host"],
            port=words["port"],
            client_id="bench-floor",
            username=words["username"],
            password=words["password"],
            alarm_filters=(Filter(f"gengfu/v1/+/up/{FLOOR_KIND}", 1),),
        )
        pair = base64.b64encode(f"{words['account_sid']}:{words['auth_token']}".encode()).decode()
        self._posts = {"Authorization": f"Basic {pair}", "Content-Type": "application/x-www-form-urlencoded"}
        self._url = f"{words['base_url']}/2010-04-01/Accounts/{words['account_sid']}"
        self._control = f"{words['base_url']}/_emulator/faults"
        self._http = VendorHttp(connections=connections_max)
        for lane in (Lane.ALARM, Lane.TELEMETRY):
            receiver = _Receiver(self)
            receiver.connection = MqttConnection(settings, settings.lane(lane), receiver, RandomIds().fraction)
            self._keep(asyncio.create_task(receiver.connection.run()))
            await asyncio.wait_for(receiver.up.wait(), 10)
        return {}

    def message(self, message: MQTTMessage) -> None:
        """A fire is three requests, anything else two; telemetry is read and forgotten."""
        topic = message.topic
        if not topic.endswith(FLOOR_KIND):
            return
        event = _read(message.payload)
        number = device_number(topic.split("/")[2])
        callback = f"http://127.0.0.1:9/callbacks?attempt={event.event_id}"
        shared = {"To": phone(number), "From": "+15005550006", "StatusCallback": callback}
        self._keep(asyncio.create_task(self._post("Messages", {**shared, "Body": _text, "ValidityPeriod": "120"})))
        if event.code.startswith("fire."):
            self._keep(asyncio.create_task(self._post("Calls", {**shared, "Twiml": _twiml, "Timeout": "25"})))
        self._keep(asyncio.create_task(self._say_received(number)))

    async def wait(self, words: Answer) -> Answer:
        """Until `count` third requests were answered, or `seconds` have gone by."""
        with suppress(TimeoutError):
            async with asyncio.timeout(words["seconds"]):
                while len(self._third) < words["count"]:
                    self._progress.clear()
                    await self._progress.wait()
        return {"confirmed": len(self._third)}

    async def results(self, words: Answer) -> Answer:
        """When the answers of the third requests came. Ends the subscriber."""
        if self._http is not None:
            await self._http.leave()
        return {"confirmed": self._third, "refused": self._failed}

    async def _post(self, noun: str, values: dict[str, str]) -> None:
        assert self._http is not None
        answer = await self._http.exchange(
            "POST",
            f"{self._url}/{noun}.json",
            deadline_s=deadline_s,
            headers=self._posts,
            body=form(values).encode(),
        )
        self._failed += not isinstance(answer, HttpAnswer) or answer.status != 201

    async def _say_received(self, number: int) -> None:
        assert self._http is not None
        answer = await self._http.exchange("GET", self._control, deadline_s=deadline_s, headers={})
        self._failed += not isinstance(answer, HttpAnswer) or answer.status != 200
        self._third.append((number, time.monotonic()))
        self._progress.set()

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def handlers() -> dict[str, Handler]:
    floor = Floor()
    return {"start": floor.start, "wait": floor.wait, "results": floor.results}


if __name__ == "__main__":
    serve(handlers)
