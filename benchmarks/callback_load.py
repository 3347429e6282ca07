"""A child process: providers that call back, signed beforehand, over as many lines as they like, each as fast as it is
answered. Never counts an answer that is not 2xx.
"""

import asyncio
import json
import time
from collections.abc import Iterator
from dataclasses import asdict
from datetime import timedelta, timezone
from typing import cast
from urllib.parse import urlencode, urlsplit

import httptools
from twilio.request_validator import RequestValidator

from benchmarks import stats
from benchmarks.callback_side import ALIYUN, TWILIO
from benchmarks.child import Answer, Handler, serve
from gengfu.clock import SystemClock

_china = timezone(timedelta(hours=8))


class _Line(asyncio.Protocol):
    """One connection: sends, waits for the answer, sends."""

    def __init__(self, requests: Iterator[bytes], until: float) -> None:
        self.seconds: list[float] = []
        self.bad = 0
        self.done = asyncio.get_running_loop().create_future()
        self._requests = requests
        self._until = until
        self._parser = httptools.HttpResponseParser(self)
        self._sent_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by its class
        self._next()

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        self.seconds.append(time.monotonic() - self._sent_at)
        self.bad += not 200 <= self._parser.get_status_code() < 300
        self._next()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.bad += 1
            self.done.set_result(None)

    def _next(self) -> None:
        request = next(self._requests, None) if time.monotonic() < self._until else None
        if request is None:
            if not self.done.done():
                self.done.set_result(None)
            self._transport.close()
            return
        self._sent_at = time.monotonic()
        self._transport.write(request)


class _Load:
    def __init__(self) -> None:
        self._requests: list[bytes] = []

    async def prepare(self, question: Answer) -> Answer:
        """Sign one callback for each attempt: Twilio's form and Alibaba's JSON by turns."""
        self._requests = [
            _aliyun(attempt, n) if n % 2 else _twilio(attempt, n) for n, attempt in enumerate(question["attempts"])
        ]
        return {"count": len(self._requests)}

    async def run(self, question: Answer) -> Answer:
        """So many lines for so long, or until every callback was made."""
        address = urlsplit(question["url"])
        began = time.monotonic()
        requests = iter(self._requests)
        loop = asyncio.get_running_loop()
        lines = [
            (
                await loop.create_connection(
                    lambda: _Line(requests, began + question["seconds"]), address.hostname or "", address.port or 80
                )
            )[1]
            for _ in range(question["width"])
        ]
        await asyncio.gather(*(line.done for line in lines))
        took = time.monotonic() - began
        seconds = [each for line in lines for each in line.seconds]
        summary = stats.summary(seconds)
        return {
            "count": len(seconds),
            "seconds": took,
            "bad": sum(line.bad for line in lines),
            "ms": asdict(summary) if summary else None,
        }


def _twilio(attempt: str, n: int) -> bytes:
    path = f"/callbacks/twilio/status?attempt={attempt}"
    form = {
        "MessageSid": f"SM{n:032x}",
        "MessageStatus": "delivered",
        "To": "+8613800000000",
        "ApiVersion": "2010-04-01",
    }
    signature = RequestValidator(TWILIO.auth_token).compute_signature(TWILIO.public_url + path, form)
    headers = {"Content-Type": "application/x-www-form-urlencoded", "X-Twilio-Signature": signature}
    return _request(path, headers, urlencode(form).encode())


def _aliyun(attempt: str, n: int) -> bytes:
    now = f"{SystemClock().now().astimezone(_china):%Y-%m-%d %H:%M:%S}"
    row = {
        "phone_number": "13800000000",
        "send_time": now,
        "report_time": now,
        "success": True,
        "err_code": "DELIVERED",
        "err_msg": "用户接收成功",
        "sms_size": "1",
        "biz_id": f"{n:018d}^0",
        "out_id": attempt,
    }
    path = f"/callbacks/aliyun/sms?{urlencode({'key': ALIYUN.callback_key})}"
    return _request(path, {"Content-Type": "application/json"}, json.dumps([row], ensure_ascii=False).encode())


def _request(path: str, headers: dict[str, str], body: bytes) -> bytes:
    sent = {"Host": "gengfu.example", **headers, "Content-Length": str(len(body))}
    lines = "".join(f"{name}: {value}\r\n" for name, value in sent.items())
    return f"POST {path} HTTP/1.1\r\n{lines}\r\n".encode() + body


def _handlers() -> dict[str, Handler]:
    load = _Load()
    return {"prepare": load.prepare, "run": load.run}


if __name__ == "__main__":
    serve(_handlers)
