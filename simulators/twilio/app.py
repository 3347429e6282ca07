"""The HTTP face: Twilio's 2010-04-01 Messages and Calls, with the faults on demand carried out here.

Never decides how a phone reacts. One plain handler instead of a router: it carries storms in benchmarks.
"""

import asyncio
import base64
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlencode

from aiohttp import web

from devices.model import Channel
from simulators.emulating.faults import Fault, FaultKind
from simulators.emulating.ledger import LedgerRow, Outcome
from simulators.emulating.mishaps import Mishaps
from simulators.emulating.vendor import early_answer_seconds_max, json_response
from simulators.twilio.forms import Form, Order, Refusal, attempt_in, first, read_order, text_of
from simulators.twilio.store import Call, Message, Wanted, api_version

if TYPE_CHECKING:
    from simulators.twilio.emulator import TwilioEmulator

page_size_default = 50
page_size_max = 1_000
form_fields_max = 100


def error_response(refusal: Refusal, headers: dict[str, str] | None = None) -> web.Response:
    """Twilio's error shape."""
    body = {
        "code": refusal.code,
        "message": refusal.message,
        "more_info": f"https://www.twilio.com/docs/errors/{refusal.code}",
        "status": refusal.status,
    }
    return json_response(body, refusal.status, headers)


def _fault_answer(fault: Fault) -> web.Response:
    match fault.kind:
        case FaultKind.STATUS_429:
            return error_response(Refusal(20429, 429), {"Retry-After": fault.retry_after_header})
        case FaultKind.STATUS_500:
            return error_response(Refusal(20500, 500))
    return error_response(Refusal(int(fault.code), fault.status))


_not_found = Refusal(20404, 404)


class TwilioRoutes:
    """Answers for one account of one emulator."""

    def __init__(self, emulator: "TwilioEmulator", auth_token: str) -> None:
        self._emulator = emulator
        account = emulator.account_sid
        self._prefix = f"/{api_version}/Accounts/{account}/"
        credentials = base64.b64encode(f"{account}:{auth_token}".encode()).decode()
        self._authorization = f"Basic {credentials}"
        self._mishaps = Mishaps(emulator.faults, _fault_answer)

    def close(self) -> None:
        """Let silent requests end."""
        self._mishaps.close()

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Any request below /2010-04-01."""
        if request.headers.get("Authorization") != self._authorization:
            return error_response(Refusal(20003, 401), {"WWW-Authenticate": 'Basic realm="Twilio API"'})
        path = request.path
        if path == self._prefix.rstrip("/") + ".json":
            return json_response(self._emulator.account.resource(self._emulator.account_sid))
        if not path.startswith(self._prefix):
            return error_response(_not_found)
        match path[len(self._prefix) :].split("/"), request.method:
            case ["Balance.json"], "GET":
                return json_response(self._emulator.account.balance_resource(self._emulator.account_sid))
            case ["Messages.json"], "POST":
                return await self._create(request, Channel.SMS)
            case ["Calls.json"], "POST":
                return await self._create(request, Channel.VOICE)
            case ["Messages.json"], "GET":
                return await self._list(request, Channel.SMS)
            case ["Calls.json"], "GET":
                return await self._list(request, Channel.VOICE)
            case ["Messages", name], "GET" if name.endswith(".json"):
                return await self._fetch(request, Channel.SMS, name.removesuffix(".json"))
            case ["Calls", name], "GET" if name.endswith(".json"):
                return await self._fetch(request, Channel.VOICE, name.removesuffix(".json"))
            case ["Calls", name], "POST" if name.endswith(".json"):
                return await self._update_call(request, name.removesuffix(".json"))
            case ((["Messages.json"] | ["Calls.json"] | ["Messages", _] | ["Calls", _]), _):
                return error_response(Refusal(20004, 405))
        return error_response(_not_found)

    async def _create(self, request: web.BaseRequest, channel: Channel) -> web.StreamResponse:
        form = await _form(request)
        emulator = self._emulator
        faults, fatal = await self._mishaps.meet(channel, first(form, "To"))
        if fatal is not None and not fatal.takes_the_request:
            self._record(channel, form, Outcome.FAULTED, faults)
            return await self._mishaps.misbehave(request, fatal)
        order = read_order(channel, form, emulator.numbers)
        if isinstance(order, Order):
            code = emulator.refusal_code(order.to, channel)
            order = order if code is None else Refusal(code, detail=order.to)
        if isinstance(order, Refusal):
            self._record(channel, form, Outcome.REFUSED, faults, code=order.code)
            return error_response(order)
        queue_ms = int(1000 * sum(f.seconds for f in faults if f.kind is FaultKind.QUEUE_TIME))
        resource = emulator.admit(order, queue_ms)
        self._record(channel, form, Outcome.PROVIDER_ACCEPTED, faults, sid=resource.sid)
        answer = resource.resource()
        way = emulator.carry_out(resource)
        if any(fault.kind is FaultKind.CALLBACK_BEFORE_ANSWER for fault in faults):
            await asyncio.wait((way,), timeout=early_answer_seconds_max)
        if fatal is not None:
            return await self._mishaps.misbehave(request, fatal)
        return json_response(answer, 201)

    async def _list(self, request: web.BaseRequest, channel: Channel) -> web.StreamResponse:
        query = parse_qs(request.rel_url.raw_query_string, max_num_fields=form_fields_max)
        spoilt = await self._spoil_read(request, channel, first(query, "To"))
        if spoilt is not None:
            return spoilt
        emulator = self._emulator
        noun, moment = ("messages", "DateSent") if channel is Channel.SMS else ("calls", "StartTime")
        try:
            wanted = _wanted(query, moment)
            size = max(1, min(page_size_max, int(first(query, "PageSize") or page_size_default)))
            page = max(0, int(first(query, "Page") or 0))
        except ValueError as error:
            return error_response(Refusal(20001, detail=str(error)))
        found: list[Message | Call] = [
            *(emulator.messages.find(wanted) if channel is Channel.SMS else emulator.calls.find(wanted))
        ]
        start = page * size
        shown = [resource.resource() for resource in found[start : start + size]]
        fields = [(k, v) for k, values in query.items() if k != "Page" for v in values]

        def uri(number: int) -> str:
            return f"{self._prefix}{noun.capitalize()}.json?{urlencode([*fields, ('Page', str(number))])}"

        body: dict[str, object] = {
            noun: shown,
            "end": start + max(0, len(shown) - 1),
            "first_page_uri": uri(0),
            "next_page_uri": uri(page + 1) if len(found) > start + size else None,
            "page": page,
            "page_size": size,
            "previous_page_uri": uri(page - 1) if page else None,
            "start": start,
            "uri": uri(page),
        }
        return json_response(body)

    async def _fetch(self, request: web.BaseRequest, channel: Channel, sid: str) -> web.StreamResponse:
        emulator = self._emulator
        resource: Message | Call | None
        resource = emulator.messages.get(sid) if channel is Channel.SMS else emulator.calls.get(sid)
        spoilt = await self._spoil_read(request, channel, None if resource is None else resource.to)
        if spoilt is not None:
            return spoilt
        return error_response(_not_found) if resource is None else json_response(resource.resource())

    async def _update_call(self, request: web.BaseRequest, sid: str) -> web.StreamResponse:
        form = await _form(request)
        call = self._emulator.calls.get(sid)
        if call is None:
            return error_response(_not_found)
        wish = first(form, "Status")
        if wish not in ("canceled", "completed"):
            return error_response(Refusal(20001, detail="only Status=canceled|completed is known here"))
        if call.ended_at is not None:
            return error_response(Refusal(21220, detail=f"the call is {call.status}"))
        if wish == "completed" or call.status != "in-progress":  # `canceled` leaves a running call alone
            call.hang_up.set()
            await self._emulator.call_ended(call)
        return json_response(call.resource())

    async def _spoil_read(
        self, request: web.BaseRequest, channel: Channel, number: str | None
    ) -> web.StreamResponse | None:
        _, fatal = await self._mishaps.meet(channel, number, read=True)
        return None if fatal is None else await self._mishaps.misbehave(request, fatal)

    def _record(
        self,
        channel: Channel,
        form: Form,
        outcome: Outcome,
        faults: list[Fault],
        *,
        sid: str | None = None,
        code: int | None = None,
    ) -> None:
        row = LedgerRow(
            kind=channel,
            outcome=outcome,
            at=self._emulator.clock(),
            monotonic=time.monotonic(),
            to=first(form, "To"),
            sender=first(form, "From"),
            text=text_of(channel, form),
            attempt=attempt_in(form),
            sid=sid,
            code=code,
            faults=tuple(fault.kind for fault in faults),
        )
        self._emulator.ledger.append(row)


async def _form(request: web.BaseRequest) -> Form:
    raw = (await request.read()).decode("utf-8", errors="replace")
    try:
        return parse_qs(raw, keep_blank_values=True, max_num_fields=form_fields_max)
    except ValueError:
        return {}


def _wanted(query: Form, moment: str) -> Wanted:
    exact = first(query, moment)
    return Wanted(
        to=first(query, "To"),
        sender=first(query, "From"),
        status=first(query, "Status"),
        not_before=_time(first(query, f"{moment}>") or exact, end_of_day=False),
        not_after=_time(first(query, f"{moment}<") or exact, end_of_day=True),
    )


def _time(value: str | None, *, end_of_day: bool) -> datetime | None:
    if value is None:
        return None
    at = datetime.fromisoformat(value)
    if end_of_day and len(value) == len("2026-01-01"):
        at = at.replace(hour=23, minute=59, second=59)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
