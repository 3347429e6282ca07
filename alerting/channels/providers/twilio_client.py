"""One question to Twilio and what its answer means: forms, basic authentication, resources as JSON. Never repeats one,
never logs an address or a body: they hold numbers. Sources: Twilio, "Messages Resource", "Calls Resource"."""

import base64
from collections.abc import Mapping, Sequence
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote

from alerting.channels.base import Busy, Rejected, Unknown
from alerting.channels.forms import form
from alerting.channels.http import Answer, VendorHttp
from alerting.channels.providers.twilio_errors import answer_to
from alerting.channels.providers.twilio_settings import TwilioSettings

Trouble = Rejected | Busy | Unknown
Resource = Mapping[str, Any]
"""A message, a call or an account, as Twilio's JSON tells of it."""
Values = Sequence[tuple[str, str]]

_home = "https://api.twilio.com"
_version = "2010-04-01"
_media_type = "application/x-www-form-urlencoded"


class TwilioAccount:
    """One account's pooled client, shared by its channels; the last channel that leaves closes it."""

    def __init__(self, settings: TwilioSettings) -> None:
        self.settings = settings
        self.http = VendorHttp(connections=settings.connections_max)
        base = (settings.base_url or _home).rstrip("/")
        self._root = f"{base}/{_version}/Accounts/{_segment(settings.account_sid)}"
        user, secret = settings.key_sid or settings.account_sid, settings.key_secret or settings.auth_token
        pair = base64.b64encode(f"{user}:{secret}".encode()).decode()
        self._asks = {"Authorization": f"Basic {pair}", "Accept": "application/json"}
        self._posts = {**self._asks, "Content-Type": _media_type}

    async def create(self, noun: str, values: Values, deadline_s: float) -> Resource | Trouble:
        """One POST. noun: `Messages` or `Calls`."""
        return await self._post(f"{self._root}/{noun}.json", values, deadline_s)

    async def update(self, noun: str, sid: str, values: Values, deadline_s: float) -> Resource | Trouble:
        """One POST to a resource that is there."""
        return await self._post(f"{self._root}/{noun}/{_segment(sid)}.json", values, deadline_s)

    async def fetch(self, noun: str, sid: str, deadline_s: float) -> Resource | Trouble:
        """One message or call."""
        return await self._get(f"{self._root}/{noun}/{_segment(sid)}.json", deadline_s)

    async def account(self, deadline_s: float, noun: str = "") -> Resource | Trouble:
        """The account itself, or what it has one of (`Balance`)."""
        return await self._get(f"{self._root}/{noun}.json" if noun else f"{self._root}.json", deadline_s)

    async def listed(self, noun: str, values: Values, deadline_s: float) -> list[Resource] | Trouble:
        """The first page of a list, the newest first."""
        found = await self._get(f"{self._root}/{noun}.json?{form(values)}", deadline_s)
        if isinstance(found, Trouble):
            return found
        rows = found.get(noun.lower())
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            return Unknown("unreadable_answer")
        return rows

    async def _get(self, url: str, deadline_s: float) -> Resource | Trouble:
        return _read(await self.http.exchange("GET", url, deadline_s=deadline_s, headers=self._asks))

    async def _post(self, url: str, values: Values, deadline_s: float) -> Resource | Trouble:
        body = form(values).encode()
        return _read(await self.http.exchange("POST", url, deadline_s=deadline_s, headers=self._posts, body=body))


def text_of(resource: Resource, name: str) -> str:
    """A field as text; "" where it is absent or null."""
    value = resource.get(name)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) else ""


def created_at(resource: Resource) -> datetime | None:
    """When it was created; None where Twilio does not say yet. ValueError: that is no time."""
    told = resource.get("date_created")
    if told is None:
        return None
    at = parsedate_to_datetime(told) if isinstance(told, str) else None
    if at is None or at.tzinfo is None:
        raise ValueError("no time of creation")
    return at


def _read(got: Answer | Busy | Unknown) -> Resource | Trouble:
    """The resource, or what the refusal means. A refusal stays one where its body cannot be read (a proxy's page, a
    redirect): nothing was sent."""
    if not isinstance(got, Answer):
        return got
    try:
        document = got.json()
    except ValueError:
        document = None
    readable = isinstance(document, dict)
    if 200 <= got.status < 300:
        return document if readable else Unknown("unreadable_answer")
    return answer_to(got.status, _number(document.get("code")) if readable else 0)


def _number(value: object) -> int:
    """A code; whatever the answer's JSON held."""
    return int(value) if isinstance(value, int | str) and str(value).isdecimal() else 0


def _segment(text: str) -> str:
    return quote(text, safe="")
