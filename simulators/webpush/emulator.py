"""A push service (RFC 8030) on loopback: checks VAPID (RFC 8292), TTL, Urgency, Topic and size as the real ones do.

Never forgives: what a real push service refuses is refused.
"""

import base64
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
from aiohttp import web
from py_vapid import Vapid

from devices.model import Channel
from simulators.emulating import Fault, FaultKind, Order, Refused, Taken, VendorEmulator
from simulators.phone import CardReceived
from simulators.webpush.browser import Browser, Shown, encoded

body_bytes_max = 4096
token_seconds_max = 24 * 3600
urgencies = frozenset({"very-low", "low", "normal", "high"})
_TOPIC = re.compile(r"[A-Za-z0-9_-]{1,32}")
_VAPID = re.compile(r"vapid\s+t=([A-Za-z0-9_.-]+),\s*k=([A-Za-z0-9_-]+)")


@dataclass(frozen=True, slots=True)
class _Waiting:
    """Kept for a browser that is offline."""

    shown: Shown
    until: float


class PushEmulator(VendorEmulator):
    """`browser(...)` makes a subscription; faults are by the browser's name; an `error` fault's code is the status."""

    def __init__(self, *, clock: Callable[[], datetime], port: int = 0, ledger_path: Path | None = None) -> None:
        super().__init__(clock=clock, port=port, time_scale=0.0, ledger_path=ledger_path)
        self.monotonic: Callable[[], float] = time.monotonic
        self._browsers: dict[str, Browser] = {}
        self._waiting: dict[str, list[_Waiting]] = {}
        self._count = 0

    def browser(self, name: str, application_key: str) -> Browser:
        """A person opens our page on a phone and allows notifications."""
        token = f"{len(self._browsers)}-{encoded(name.encode())}"
        browser = Browser(name, f"{self.base_url}/push/{token}", application_key)
        self._browsers[token] = browser
        return browser

    def back_online(self, browser: Browser) -> None:
        """What waited, in order, less what has expired."""
        browser.online = True
        token = urlsplit(browser.endpoint).path.rsplit("/", 1)[1]
        for each in self._waiting.pop(token, ()):
            if self.monotonic() < each.until:
                self._deliver(browser, each.shown)

    async def reset(self) -> None:
        await super().reset()
        self._waiting.clear()
        for browser in self._browsers.values():
            browser.received.clear()
            browser.screen.clear()

    async def answer(self, request: web.BaseRequest, body: bytes) -> web.StreamResponse:
        token = request.path.removeprefix("/push/")
        browser = self._browsers.get(token)
        if request.method != "POST" or browser is None:
            return _refusal(404, "no such subscription")
        message = _readable(browser, body)
        about = None if message is None else str(message.get("notification_id"))
        order = Order(Channel.APP, browser.name, text=_text(message), attempt=about)
        return await self.create(request, order, lambda: self._take(request, body, token, browser))

    def fault_answer(self, fault: Fault) -> web.StreamResponse:
        if fault.kind is FaultKind.STATUS_429:
            return web.Response(status=429, headers={"Retry-After": fault.retry_after_header})
        status = int(fault.code) if fault.kind is FaultKind.ERROR else 500
        return _refusal(status, "on demand")

    def _take(self, request: web.BaseRequest, body: bytes, token: str, browser: Browser) -> Taken | Refused:
        wrong = self._wrong(request, body, browser)
        if wrong is not None:
            return Refused(wrong[0], _refusal(*wrong))
        message = _readable(browser, body)
        assert message is not None
        topic = request.headers.get("Topic")
        ttl = int(request.headers["TTL"])
        shown = Shown(message, request.headers.get("Urgency", "normal"), ttl, topic)
        if browser.online:
            self._deliver(browser, shown)
        elif ttl > 0:
            kept = [each for each in self._waiting.get(token, []) if topic is None or each.shown.topic != topic]
            self._waiting[token] = [*kept, _Waiting(shown, self.monotonic() + ttl)]
        self._count += 1
        ref = f"message-{self._count}"
        headers = {"Location": f"{self.base_url}/message/{ref}", "TTL": str(ttl)}
        return Taken(ref, web.Response(status=201, headers=headers))

    def _deliver(self, browser: Browser, shown: Shown) -> None:
        browser.show(shown)
        message = shown.message
        title, body = str(message.get("title", "")), str(message.get("body", ""))
        about, tag = str(message.get("notification_id")), str(message.get("tag"))
        for card in self.phones.cards:
            if card.to == browser.name and card.ref == tag:
                card.recalled = True
        urgent = shown.urgency == "high"
        self.phones.show_card(CardReceived(tag, browser.name, title, body, self.clock(), about, urgent=urgent))

    def _wrong(self, request: web.BaseRequest, body: bytes, browser: Browser) -> tuple[int, str] | None:
        """What a real service would refuse, and how."""
        if browser.expired:
            return 410, "expired"
        refusal = self._vapid_fault(request.headers.get("Authorization", ""), browser)
        if refusal is not None:
            return refusal
        headers = request.headers
        if not headers.get("TTL", "").isdecimal():
            return 400, "TTL is missing"
        if headers.get("Urgency", "normal") not in urgencies:
            return 400, "no such urgency"
        if "Topic" in headers and not _TOPIC.fullmatch(headers["Topic"]):
            return 400, "no such topic"
        if headers.get("Content-Encoding") != "aes128gcm":
            return 400, "not encrypted"
        if len(body) > body_bytes_max:
            return 413, "too large"
        return None if _readable(browser, body) is not None else (400, "cannot be decrypted")

    def _vapid_fault(self, header: str, browser: Browser) -> tuple[int, str] | None:
        found = _VAPID.fullmatch(header)
        if found is None:
            return 401, "no VAPID token"
        try:
            signed = bool(Vapid.verify(header))
            claims = _claims(found[1])
        except (ValueError, AssertionError, IndexError):
            return 401, "unreadable token"
        if not signed:
            return 401, "bad signature"
        now = self.clock().timestamp()
        if claims.get("aud") != self.base_url:
            return 403, "a token for another push service"
        if not now < float(claims.get("exp", 0)) <= now + token_seconds_max:
            return 403, "expired, or good for more than a day"
        if not str(claims.get("sub", "")).startswith(("mailto:", "https://")):
            return 403, "nobody to turn to"
        return None if found[2] == browser.application_key else (403, "not the key of the subscription")


def _claims(token: str) -> dict[str, Any]:
    part = token.split(".")[1]
    return msgspec.json.decode(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)), type=dict[str, Any])


def _readable(browser: Browser, body: bytes) -> dict[str, Any] | None:
    try:
        return browser.decrypt(body)
    except ValueError:
        return None


def _text(message: Any) -> str:
    return "" if message is None else " ".join(str(message.get(name, "")) for name in ("title", "body")).strip()


def _refusal(status: int, reason: str) -> web.Response:
    return web.Response(status=status, text=reason)
