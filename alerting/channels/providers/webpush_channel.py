"""Pages over Web Push, through `pywebpush`, to every browser of a person. Never calls a page delivered: a push service
says only that it has it; that it was shown, the page's own service worker posts to `notifications/{id}/received`.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Any, Protocol
from urllib.parse import urlsplit

from http_ece import ECEException
from py_vapid import Vapid, VapidException
from pywebpush import WebPushException, webpush_async

from alerting.channels.base import (
    Accepted,
    Busy,
    Caps,
    Finding,
    Health,
    HealthWord,
    Rejected,
    Scope,
    Submission,
    Submitted,
    Unknown,
)
from alerting.channels.http import Answer, Trouble, VendorHttp
from alerting.channels.modest import Modest
from alerting.channels.providers.webpush_message import encoded_to_fit, message_of, topic_of
from alerting.channels.providers.webpush_settings import WebPushSettings
from alerting.channels.providers.webpush_subscription import PublicResolver, endpoint_fault
from devices.model import Channel

log = logging.getLogger(__name__)

token_kept_s = 6 * 3600.0
"""`pywebpush` signs for 12 hours; RFC 8292 allows 24 at most and asks for reuse."""
tokens_kept_max = 256
close_within_s = 2.0
_taken = frozenset({201, 202})
_gone = {404: "not_found", 410: "expired"}
_account = frozenset({400, 401, 403})

Subscription = Mapping[str, Any]


class Told(Protocol):
    """Who wants to know which subscriptions work."""

    def gone(self, subscription_id: str, reason: str) -> None: ...

    def sent(self, subscription_id: str) -> None: ...


class WebPush(Modest):
    """`Submission.target`: `{"subscriptions": [{"id", "endpoint", "keys": {"p256dh", "auth"}, "key"}, ...]}`. The
    reference is the id of the subscription that was accepted first.

    A push service cannot be asked what became of a message: `reconcile` finds nothing, and the repeat does no harm, as
    its topic replaces what may be there. Encrypting and signing take half a millisecond, so they stay on the loop.
    """

    channel: Channel = Channel.APP
    name: str = "webpush"
    caps: Caps = Caps(receipts=True, links=True)

    def __init__(self, settings: WebPushSettings) -> None:
        self.told: Told | None = None
        self._settings = settings
        self._public_key = settings.public_key
        self._vapid = Vapid.from_raw(settings.private_key.encode())
        self._http = VendorHttp(None if settings.allow_private else PublicResolver)
        self._http.join()
        self._closed = False
        self._tokens: dict[str, tuple[float, str]] = {}
        self._under_way: set[asyncio.Task[Submitted]] = set()
        self._last: HealthWord = HealthWord.UNKNOWN

    async def submit(self, submission: Submission, deadline_s: float) -> Submitted:
        """To all browsers at once; the first acceptance is the answer, and the others finish behind it."""
        message = message_of(submission)
        if message is None:
            return Rejected("message_unreadable", Scope.TEXT)
        subscriptions = [each for each in submission.target.get("subscriptions", ()) if self._usable(each)]
        if not subscriptions:
            return Rejected("no_subscription", Scope.SESSION)
        life = submission.urgency == 0
        headers = {"urgency": "high" if submission.urgency <= 1 else "normal", "topic": topic_of(submission)}
        ttl = self._settings.ttl_life_s if life else self._settings.ttl_s
        tasks = [self._start(self._push(each, message, headers, ttl, deadline_s)) for each in subscriptions]
        return await self._first_accepted(tasks, deadline_s)

    async def check(self) -> Health:
        """No push service takes a question: what the last message was answered says whether the key pair is good."""
        detail = {
            HealthWord.FINE: "the last message was taken",
            HealthWord.UNKNOWN: "nothing was sent since the start",
            HealthWord.FAULT: "a push service refuses our key: keep [webpush] private_key as it was when people "
            "subscribed, and let subject be an address of yours",
        }
        return Health((Finding("credentials", self._last, detail[self._last]),))

    async def close(self) -> None:
        """Let what is under way end; a second call does nothing."""
        if self._closed:
            return
        self._closed = True
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=close_within_s)
        for task in self._under_way:
            task.cancel()
        await self._http.leave()

    def _start(self, work: Any) -> asyncio.Task[Submitted]:
        task: asyncio.Task[Submitted] = asyncio.create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return task

    async def _first_accepted(self, tasks: Sequence[asyncio.Task[Submitted]], deadline_s: float) -> Submitted:
        loop = asyncio.get_running_loop()
        until, waiting = loop.time() + deadline_s, set(tasks)
        while waiting and (left := until - loop.time()) > 0:
            done, waiting = await asyncio.wait(waiting, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:  # in their own order, where several ended together
                if task in done and isinstance(answer := task.result(), Accepted):
                    return answer
        return _worst([Unknown("timeout") if task in waiting else task.result() for task in tasks])

    def _usable(self, subscription: Subscription) -> bool:
        """Made with the key that we have now (a browser takes no other), at an address that we may post to."""
        if endpoint_fault(subscription["endpoint"], self._settings.allow_private) is not None:
            return False
        if subscription.get("key", self._public_key) == self._public_key:
            return True
        self._tell_gone(subscription, "key_changed")
        return False

    async def _push(
        self,
        subscription: Subscription,
        message: Mapping[str, Any],
        headers: Mapping[str, str],
        ttl: int,
        limit_s: float,
    ) -> Submitted:
        data = encoded_to_fit(message, subscription["id"])
        if data is None:
            return Rejected("too_long", Scope.TEXT)
        line = _Line(self._http, limit_s)
        try:
            await self._through_library(line, subscription, data, headers, ttl)
        except (WebPushException, _NoAnswer):
            pass  # `line` has the answer, or what became of it
        except (ECEException, VapidException, ValueError, KeyError, TypeError):
            line.outcome = None
        if line.outcome is None:  # it came to no request
            self._tell_gone(subscription, "unreadable")
            return Rejected("subscription_unreadable", Scope.SESSION)
        return self._read(subscription, line.outcome)

    async def _through_library(
        self, line: "_Line", subscription: Subscription, data: bytes, headers: Mapping[str, str], ttl: int
    ) -> None:
        parts = urlsplit(subscription["endpoint"])
        origin = f"{parts.scheme}://{parts.netloc}"
        now = asyncio.get_running_loop().time()
        made_at, token = self._tokens.get(origin, (0.0, ""))
        fresh = bool(token) and now - made_at < token_kept_s
        await webpush_async(
            {"endpoint": subscription["endpoint"], "keys": dict(subscription["keys"])},
            data,
            vapid_private_key=self._vapid,
            # A dictionary of its own for each: the library writes the service and the expiry into it.
            vapid_claims=None if fresh else {"sub": self._settings.subject},
            headers={**headers, **({"authorization": token} if fresh else {})},
            ttl=ttl,
            timeout=line.deadline_s,
            aiohttp_session=line,
        )
        if not fresh and line.authorization:
            if len(self._tokens) >= tokens_kept_max:
                self._tokens.clear()
            self._tokens[origin] = (now, line.authorization)

    def _read(self, subscription: Subscription, outcome: Answer | Trouble) -> Submitted:
        if not isinstance(outcome, Answer):
            return outcome
        status = outcome.status
        if status in _taken or (status == 200 and not outcome.body):
            self._last = HealthWord.FINE
            if self.told is not None:
                self.told.sent(subscription["id"])
            return Accepted(subscription["id"])
        if status == 200:
            return Unknown("unreadable_answer")  # a page of the network in between
        if status in _gone:
            self._tell_gone(subscription, _gone[status])
            return Rejected(_gone[status], Scope.SESSION, str(status))
        if status == 413:
            return Rejected("too_long", Scope.TEXT, "413")
        log.warning("webpush: %s answered %d", urlsplit(subscription["endpoint"]).hostname, status)
        if status in _account:
            self._last = HealthWord.FAULT
            return Rejected("vapid_refused", Scope.ACCOUNT, str(status))
        return Rejected(f"http_{status}", Scope.ACCOUNT, str(status))

    def _tell_gone(self, subscription: Subscription, reason: str) -> None:
        if self.told is not None:
            self.told.gone(subscription["id"], reason)


class _NoAnswer(Exception):
    """There is nothing for the library to read."""


class _Line:
    """What the library takes for an aiohttp session: our own client, with its deadline, its bound on answers and
    without redirects, for one request."""

    def __init__(self, http: VendorHttp, deadline_s: float) -> None:
        self.deadline_s = deadline_s
        self.outcome: Answer | Trouble | None = None
        self.authorization = ""
        self._http = http

    async def post(self, url: str, *, data: bytes, headers: Mapping[str, str], timeout: float) -> "_Response":
        self.outcome = await self._http.exchange("POST", url, deadline_s=timeout, headers=headers, body=data)
        if not isinstance(self.outcome, Answer):
            raise _NoAnswer
        if self.outcome.status in _taken:
            self.authorization = headers.get("authorization", "")
        return _Response(self.outcome)


class _Response:
    """What the library reads of an answer; the body may hold secrets, so it is not passed on."""

    reason = ""

    def __init__(self, answer: Answer) -> None:
        self.status = answer.status
        self.headers = answer.headers

    async def text(self) -> str:
        return ""


def _worst(answers: Sequence[Submitted]) -> Submitted:
    """Of several that were not accepted: first what may still have arrived, then what may pass later."""
    for kind in (Unknown, Busy):
        found = [each for each in answers if isinstance(each, kind)]
        if found:
            return min(found, key=lambda each: each.retry_after if isinstance(each, Busy) else 0.0)
    refused = [each for each in answers if isinstance(each, Rejected)]
    order = (Scope.TEXT, Scope.ACCOUNT, Scope.NUMBER, Scope.SESSION)
    worst = min(refused, key=lambda each: order.index(each.scope))
    return Rejected("no_subscription", Scope.SESSION, worst.code) if worst.scope is Scope.SESSION else worst
