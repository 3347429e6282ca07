"""A child process: every provider's far side at its cheapest, a loopback server per carrier with one fixed answer.

Keeps the first request of each, so that a bare client can post the same bytes. Never checks a signature.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import httptools

from benchmarks.child import Answer, Handler, serve

_JSON = "application/json"
_XML = "text/xml"
_SNS = (
    '<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult><MessageId>'
    "567910cd-659e-55d4-8ccb-5aaf14679dc0</MessageId></PublishResult><ResponseMetadata><RequestId>"
    "d74b8436-ae13-5ab4-a9ff-ce54dfea72a0</RequestId></ResponseMetadata></PublishResponse>"
)
_TENCENT_SMS = (
    '{"Response":{"SendStatusSet":[{"SerialNo":"5000:1045710669157053657849499619","PhoneNumber":"+8613800000000",'
    '"Fee":1,"SessionContext":"","Code":"Ok","Message":"send success","IsoCode":"CN"}],"RequestId":"a0aabda6"}}'
)
_TENCENT_VOICE = '{"Response":{"SendStatus":{"CallId":"0fa5-5f63","SessionContext":""},"RequestId":"0fa55f63"}}'
_ALIYUN = '{"Message":"OK","RequestId":"F655A8D5","Code":"OK","%s":"9006197469364984^0"}'
_TWILIO = '{"sid":"%s","status":"queued","error_code":null,"queue_time":"0","date_created":null,"body":null,"to":null}'
_TOKEN = '{"errcode":0,"errmsg":"ok","access_token":"token-of-a-benchmark","expires_in":7200}'
_WECOM = '{"errcode":0,"errmsg":"ok","msgid":"msgid-of-a-benchmark","response_code":"code"}'


@dataclass(frozen=True, slots=True)
class Fixed:
    """One answer; `path`: what the request's path holds."""

    path: bytes
    status: int
    media_type: str
    body: str

    def encoded(self) -> bytes:
        body = self.body.encode()
        head = f"HTTP/1.1 {self.status} OK\r\nContent-Type: {self.media_type}\r\nContent-Length: {len(body)}\r\n\r\n"
        return head.encode() + body


ANSWERS: Mapping[str, tuple[Fixed, ...]] = {
    "twilio sms": (Fixed(b"", 201, _JSON, _TWILIO % ("SM" + "0" * 32)),),
    "twilio voice": (Fixed(b"", 201, _JSON, _TWILIO % ("CA" + "0" * 32)),),
    "aliyun sms": (Fixed(b"", 200, _JSON, _ALIYUN % "BizId"),),
    "aliyun voice": (Fixed(b"", 200, _JSON, _ALIYUN % "CallId"),),
    "tencent sms": (Fixed(b"", 200, _JSON, _TENCENT_SMS),),
    "tencent voice": (Fixed(b"", 200, _JSON, _TENCENT_VOICE),),
    "sns sms": (Fixed(b"", 200, _XML, _SNS),),
    "wecom app": (Fixed(b"gettoken", 200, _JSON, _TOKEN), Fixed(b"", 200, _JSON, _WECOM)),
    "webpush app": (Fixed(b"", 201, "text/plain", ""),),
}


class _Line(asyncio.Protocol):
    """One connection."""

    def __init__(self, far_side: "_FarSide") -> None:
        self._far_side = far_side
        self._parser = httptools.HttpRequestParser(self)
        self._url = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._body = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by its class

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers.append((name, value))

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        answer = self._far_side.took(self._parser.get_method(), self._url, self._headers, bytes(self._body))
        self._transport.write(answer)
        self._url, self._headers, self._body = b"", [], bytearray()


class _FarSide:
    """One carrier."""

    def __init__(self, answers: tuple[Fixed, ...]) -> None:
        self._answers = [(each.path, each.encoded()) for each in answers]
        self.sample: Answer | None = None
        self.count = 0

    def took(self, method: bytes, url: bytes, headers: list[tuple[bytes, bytes]], body: bytes) -> bytes:
        self.count += 1
        answer = next(encoded for path, encoded in self._answers if path in url)
        if self.sample is None and answer is self._answers[-1][1]:
            listed = [[name.decode(), value.decode("latin-1")] for name, value in headers]
            self.sample = {"method": method.decode(), "path": url.decode(), "headers": listed, "body": body.hex()}
        return answer


class _Answers:
    def __init__(self) -> None:
        self._sides: dict[str, _FarSide] = {}
        self._servers: list[asyncio.Server] = []

    async def open(self, question: Answer) -> Answer:
        """A port for a carrier."""
        side = self._sides[question["carrier"]] = _FarSide(ANSWERS[question["carrier"]])
        server = await asyncio.get_running_loop().create_server(lambda: _Line(side), "127.0.0.1", 0)
        self._servers.append(server)
        return {"port": server.sockets[0].getsockname()[1]}

    async def sample(self, question: Answer) -> Answer:
        """The first request that a carrier got."""
        return self._sides[question["carrier"]].sample or {}


def _handlers() -> dict[str, Handler]:
    answers = _Answers()
    return {"open": answers.open, "sample": answers.sample}


if __name__ == "__main__":
    serve(_handlers)
