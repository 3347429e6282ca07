"""The provider's memory: messages and calls in the shape of Twilio's 2010-04-01 API, found by SID and number.

Never sends anything and never reads a clock.
"""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from functools import lru_cache
from typing import Generic, TypeVar
from urllib.parse import parse_qs, urlsplit

api_version = "2010-04-01"
# GSM 03.38: the basic table beyond ASCII, and the ASCII characters that are not in it or cost two units.
_gsm_beyond_ascii = frozenset("£¥èéùìòÇØøÅåΔΦΓΛΩΠΨΣΘΞÆæßÉÄÖÑÜ§¿äöñüà¡¤")
_gsm_two_units = frozenset("[]{}\\^|~€\f")


@lru_cache(maxsize=64)
def _rfc2822(second: datetime) -> str:
    return format_datetime(second)


def rfc2822(at: datetime | None) -> str | None:
    """A time as the 2010 API prints it; whole seconds, UTC."""
    return None if at is None else _rfc2822(at.replace(microsecond=0))


def segments(text: str) -> int:
    """SMS parts: 160/153 GSM-7 units or 70/67 UTF-16 units (GSM 03.38, 3GPP TS 23.040)."""
    if all((c < "\x7f" and c != "`") or c in _gsm_beyond_ascii or c in _gsm_two_units for c in text):
        units = len(text) + sum(c in _gsm_two_units for c in text)
        return 1 if units <= 160 else -(-units // 153)
    units = len(text.encode("utf-16-le")) // 2
    return 1 if units <= 70 else -(-units // 67)


@lru_cache(maxsize=64)
def attempt_of(*addresses: str | None) -> str | None:
    """The `attempt` parameter of the first of these addresses that has one."""
    for address in addresses:
        if address and "attempt=" in address:
            values = parse_qs(urlsplit(address).query).get("attempt")
            if values:
                return values[0]
    return None


@dataclass(frozen=True, slots=True)
class Callback:
    """Where a resource's status is reported to, and which call events are wanted."""

    url: str
    method: str = "POST"
    events: frozenset[str] = frozenset({"completed"})


@dataclass(slots=True)
class Message:
    """One SMS."""

    sid: str
    account_sid: str
    to: str
    sender: str
    body: str
    created_at: datetime
    created_monotonic: float
    service_sid: str | None = None
    callback: Callback | None = None
    attempt: str | None = None
    validity_s: int = 36_000
    status: str = "queued"
    error_code: int | None = None
    sent_at: datetime | None = None
    updated_at: datetime | None = None
    direction: str = "outbound-api"

    def resource(self) -> dict[str, object]:
        """The JSON resource."""
        uri = f"/{api_version}/Accounts/{self.account_sid}/Messages/{self.sid}"
        return {
            "sid": self.sid,
            "account_sid": self.account_sid,
            "api_version": api_version,
            "body": self.body,
            "date_created": rfc2822(self.created_at),
            "date_sent": rfc2822(self.sent_at),
            "date_updated": rfc2822(self.updated_at or self.created_at),
            "direction": self.direction,
            "error_code": self.error_code,
            "error_message": None if self.error_code is None else f"Error {self.error_code}",
            "from": self.sender or None,
            "messaging_service_sid": self.service_sid,
            "num_media": "0",
            "num_segments": str(segments(self.body)),
            "price": None,
            "price_unit": "USD",
            "status": self.status,
            "subresource_uris": {"media": f"{uri}/Media.json"},
            "to": self.to,
            "uri": f"{uri}.json",
        }


@dataclass(slots=True)
class Call:
    """One outbound call. `hang_up` is set when the API asks for its end."""

    sid: str
    account_sid: str
    to: str
    sender: str
    created_at: datetime
    created_monotonic: float
    url: str | None = None
    method: str = "POST"
    twiml: str | None = None
    callback: Callback | None = None
    attempt: str | None = None
    ring_s: int = 60
    time_limit_s: int = 14_400
    queue_time_ms: int = 0
    status: str = "queued"
    started_at: datetime | None = None
    ended_at: datetime | None = None
    updated_at: datetime | None = None
    duration_s: int | None = None
    events_sent: int = 0
    hang_up: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    def resource(self) -> dict[str, object]:
        """The JSON resource."""
        uri = f"/{api_version}/Accounts/{self.account_sid}/Calls/{self.sid}"
        parts = ("Events", "Recordings", "Notifications", "Payments", "Streams", "Transcriptions")
        return {
            "sid": self.sid,
            "account_sid": self.account_sid,
            "annotation": None,
            "answered_by": None,
            "api_version": api_version,
            "caller_name": None,
            "date_created": rfc2822(self.created_at),
            "date_updated": rfc2822(self.updated_at or self.created_at),
            "direction": "outbound-api",
            "duration": None if self.duration_s is None else str(self.duration_s),
            "end_time": rfc2822(self.ended_at),
            "forwarded_from": None,
            "from": self.sender,
            "from_formatted": self.sender,
            "group_sid": None,
            "parent_call_sid": None,
            "phone_number_sid": None,
            "price": None,
            "price_unit": "USD",
            "queue_time": str(self.queue_time_ms),
            "start_time": rfc2822(self.started_at),
            "status": self.status,
            "subresource_uris": {part.lower(): f"{uri}/{part}.json" for part in parts},
            "to": self.to,
            "to_formatted": self.to,
            "trunk_sid": None,
            "uri": f"{uri}.json",
        }


ResourceT = TypeVar("ResourceT", Message, Call)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A list request's filters. Times are compared with the moment of creation, both ends included."""

    to: str | None = None
    sender: str | None = None
    status: str | None = None
    not_before: datetime | None = None
    not_after: datetime | None = None


class Shelf(Generic[ResourceT]):
    """All resources of one kind. A list shows a new one only after `lag_s` seconds, a fetch at once."""

    def __init__(self, lag_s: float, monotonic: Callable[[], float]) -> None:
        self.lag_s = lag_s
        self._monotonic = monotonic
        self._by_sid: dict[str, ResourceT] = {}
        self._by_to: dict[str, list[ResourceT]] = {}

    def __len__(self) -> int:
        return len(self._by_sid)

    def add(self, resource: ResourceT) -> None:
        """Keep one more."""
        self._by_sid[resource.sid] = resource
        self._by_to.setdefault(resource.to, []).append(resource)

    def get(self, sid: str) -> ResourceT | None:
        """The one with this SID."""
        return self._by_sid.get(sid)

    def clear(self) -> None:
        """Forget all."""
        self._by_sid.clear()
        self._by_to.clear()

    def find(self, wanted: Wanted) -> Iterator[ResourceT]:
        """What the filters let through, newest first."""
        pool = list(self._by_sid.values()) if wanted.to is None else self._by_to.get(wanted.to, [])
        visible_until = self._monotonic() - self.lag_s
        for resource in reversed(pool):
            second = resource.created_at.replace(microsecond=0)
            if (
                resource.created_monotonic <= visible_until
                and wanted.sender in (None, resource.sender)
                and wanted.status in (None, resource.status)
                and (wanted.not_before is None or second >= wanted.not_before)
                and (wanted.not_after is None or second <= wanted.not_after)
            ):
                yield resource
