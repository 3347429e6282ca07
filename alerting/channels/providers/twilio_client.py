"""The twilio SDK behind guards: one pool, no retries, a deadline around every call, no numbers or tokens in logs.

Never lets an exception of the provider out; every trouble becomes a value.
"""

import asyncio
import base64
import logging
from collections.abc import Coroutine, Mapping
from typing import Any, TypeVar
from urllib.parse import urlencode

import aiohttp
from twilio.base.exceptions import TwilioException, TwilioRestException, TwilioServiceException
from twilio.http import AsyncHttpClient
from twilio.http.response import Response
from twilio.rest import Client
from twilio.rest.api.v2010.account import call, message
from yarl import URL

from alerting.channels.base import Busy, Rejected, Unknown
from alerting.channels.providers.twilio_errors import answer_to, retry_after
from alerting.channels.providers.twilio_settings import TwilioSettings

IMPORTED_EARLY = (call, message)
"""The SDK imports these on first use, which takes tens of milliseconds: not while the first fire waits."""

keepalive_s = 30.0
dns_kept_s = 300
reconnect_s = 1.0

T = TypeVar("T")
Trouble = Rejected | Busy | Unknown
# What the SDK raises when a 200 holds something else than the resource it expects.
_unreadable = (ValueError, TypeError, KeyError, AttributeError)
_no_environment = {"TWILIO_EDGE": ""}


class TooManyRequests(Exception):
    """HTTP 429. Raised here, because the SDK's exception loses the Retry-After header."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class PooledHttpClient(AsyncHttpClient):  # type: ignore[misc]  # the SDK has no types
    """The SDK's own extension point instead of its `AsyncTwilioHttpClient`, which offers no way to a larger pool, keeps
    the last answer on itself and writes numbers into the log. Build it inside the running loop."""

    def __init__(self, connections_max: int) -> None:
        super().__init__(logging.getLogger(__name__), True, None)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=connections_max, keepalive_timeout=keepalive_s, ttl_dns_cache=dns_kept_s
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None),  # `guarded` holds the deadline
        )
        self._authorizations: dict[tuple[str, str], str] = {}

    async def request(
        self,
        method: str,
        uri: str,
        params: Mapping[str, object] | None = None,
        data: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,
        allow_redirects: bool = False,
    ) -> Response:
        """One HTTP exchange. Raises TooManyRequests for a 429, aiohttp's errors for a broken line."""
        sent = dict(headers or {})
        if auth is not None:
            sent["Authorization"] = self._authorization(auth)
        body = None if data is None else urlencode(data, doseq=True).encode()
        address: str | URL = uri
        if params:
            address = URL(f"{uri}?{urlencode(params, doseq=True)}", encoded=True)
        async with self._session.request(
            method, address, data=body, headers=sent, allow_redirects=allow_redirects
        ) as answer:
            text = (await answer.read()).decode("utf-8", "replace")
            if answer.status == 429:
                raise TooManyRequests(retry_after(answer.headers.get("Retry-After")))
            return Response(answer.status, text, answer.headers)

    async def close(self) -> None:
        """Close the pool."""
        await self._session.close()

    def _authorization(self, auth: tuple[str, str]) -> str:
        known = self._authorizations.get(auth)
        if known is None:
            pair = base64.b64encode(":".join(auth).encode()).decode()
            known = self._authorizations[auth] = f"Basic {pair}"
        return known


class TwilioAccount:
    """One account's pooled client, shared by its channels; the last channel that leaves closes it."""

    def __init__(self, settings: TwilioSettings) -> None:
        self.settings = settings
        self._http: PooledHttpClient | None = None
        self._client: Any = None
        self._users = 0

    def join(self) -> None:
        """One channel more."""
        self._users += 1

    async def leave(self) -> None:
        """One channel less."""
        self._users -= 1
        http = self._http
        if self._users == 0 and http is not None:
            self._http = self._client = None
            await http.close()

    @property
    def client(self) -> Any:
        """The SDK's client, made by the first request because its pool needs the running loop."""
        if self._client is None:
            self._client = self._open()
        return self._client

    def _open(self) -> Any:
        settings = self.settings
        self._http = PooledHttpClient(settings.connections_max)
        client = Client(
            settings.key_sid or settings.account_sid,
            settings.key_secret or settings.auth_token,
            settings.account_sid,
            http_client=self._http,
            # TWILIO_EDGE and TWILIO_REGION would rewrite a local address too; with Twilio itself they are the user's.
            environment=None if settings.base_url is None else _no_environment,
        )
        if settings.base_url is not None:
            client.api.base_url = settings.base_url.rstrip("/")
        return client


async def guarded(work: Coroutine[Any, Any, T], deadline_s: float) -> T | Trouble:
    """Await SDK work for at most `deadline_s` seconds; what goes wrong comes back as a value.

    Only a connection that was never made is `Busy`: nothing left this machine. A line cut later is `Unknown`.
    """
    try:
        async with asyncio.timeout(deadline_s):
            return await work
    except TooManyRequests as busy:
        return Busy(busy.seconds)
    except (TwilioRestException, TwilioServiceException) as error:
        return answer_to(_number(error.status), _number(error.code))
    except TwilioException:
        return Unknown("unreadable_answer")
    except TimeoutError:
        return Unknown("timeout")
    except aiohttp.ClientConnectorError:
        return Busy(reconnect_s)
    except (aiohttp.ClientError, OSError):
        return Unknown("cut_line")
    except _unreadable:
        return Unknown("unreadable_answer")


def _number(value: object) -> int:
    """A status or code; the SDK passes on whatever the answer's JSON held."""
    return int(value) if isinstance(value, int | str) and str(value).isdecimal() else 0
