"""DingTalk's v1.0 API for one robot: tokens, messages to persons, what they have read.

Whoever cannot be reached is named in a list of a 200. Never invents an acceptance.
"""

import secrets
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec
from aiohttp import web

from devices.model import Channel
from simulators.emulating import Fault, FaultKind, Order, Refused, Taken, VendorEmulator, json_response
from simulators.phone import Behaviour, CardButton, CardReceived

_kinds = {
    "sampleMarkdown": (),
    "sampleActionCard": (("singleTitle", "singleURL"),),
    "sampleActionCard2": (("actionTitle1", "actionURL1"), ("actionTitle2", "actionURL2")),
}


class DingtalkEmulator(VendorEmulator):
    """members: None = whoever is written to. throttled, filtered: named in the answer's lists, not shown anything.

    address_trusted: False: every call is refused as coming from an unknown address.
    """

    def __init__(
        self,
        *,
        app_key: str,
        app_secret: str,
        robot_code: str,
        clock: Callable[[], datetime],
        members: frozenset[str] | None = None,
        token_lives_s: int = 7_200,
        port: int = 0,
        default_behaviour: Behaviour | None = None,
    ) -> None:
        super().__init__(clock=clock, port=port, default_behaviour=default_behaviour, time_scale=0.0)
        self.app_key, self._app_secret, self.robot_code = app_key, app_secret, robot_code
        self.members = members
        self.token_lives_s = token_lives_s
        self.address_trusted = True
        self.throttled: set[str] = set()
        self.filtered: set[str] = set()
        self.tokens_given = 0
        self._tokens: dict[str, float] = {}
        self._by_ref: dict[str, CardReceived] = {}
        self._read: dict[str, datetime] = {}

    def end_tokens(self) -> None:
        """From now on every token given so far is refused."""
        self._tokens = dict.fromkeys(self._tokens, 0.0)

    def read(self, card: CardReceived) -> None:
        """The person looks at it."""
        self._read[card.ref] = self.clock()

    async def answer(self, request: web.BaseRequest, body: bytes) -> web.StreamResponse:
        path = request.path.removeprefix("/v1.0/")
        if path == "robot/oToMessages/batchSend" and request.method == "POST":
            return await self._send(request, msgspec.json.decode(body, type=dict[str, Any]))
        spoilt = await self.spoil_read(request, Channel.APP, None)
        if spoilt is not None:
            return spoilt
        if path == "oauth2/accessToken":
            return self._token(msgspec.json.decode(body, type=dict[str, Any]))
        refusal = self._refusal(request)
        if refusal is not None:
            return refusal
        match request.method, path:
            case "GET", "robot/oToMessages/readStatus":
                return self._status(request.query.get("processQueryKey", ""))
            case "POST", "robot/otoMessages/batchRecall":
                return self._recall(msgspec.json.decode(body, type=dict[str, Any]))
        return _refused("InvalidAction.NotFound", 404)

    def fault_answer(self, fault: Fault) -> web.StreamResponse:
        match fault.kind:
            case FaultKind.STATUS_429:
                return web.Response(status=429, headers={"Retry-After": fault.retry_after_header})
            case FaultKind.STATUS_500:
                return web.Response(status=500, text="internal error")
        code = str(fault.code)
        if code.lstrip("-").isdecimal():  # an older machine of theirs: inside a 200
            return json_response({"errcode": int(code), "errmsg": "error"})
        return _refused(code, fault.status)

    async def reset(self) -> None:
        await super().reset()
        self._by_ref.clear()
        self._read.clear()

    def _token(self, body: dict[str, Any]) -> web.Response:
        if (body.get("appKey"), body.get("appSecret")) != (self.app_key, self._app_secret):
            return _refused("invalidClientIdOrSecret", 400)
        token = secrets.token_hex(16)
        self.tokens_given += 1
        self._tokens[token] = time.monotonic() + self.token_lives_s
        return json_response({"accessToken": token, "expireIn": self.token_lives_s})

    def _refusal(self, request: web.BaseRequest) -> web.Response | None:
        token = request.headers.get("x-acs-dingtalk-access-token", "")
        if self._tokens.get(token, 0.0) <= time.monotonic():
            return _refused("InvalidAuthentication", 401)
        return None if self.address_trusted else _refused("Forbidden.AccessDenied.IpNotInWhiteList", 403)

    async def _send(self, request: web.BaseRequest, body: dict[str, Any]) -> web.StreamResponse:
        users = body.get("userIds") or [""]
        try:
            shown = msgspec.json.decode(body.get("msgParam", ""), type=dict[str, str])
        except msgspec.MsgspecError:
            shown = {}
        order = Order(Channel.APP, to=users[0], sender=body.get("robotCode"), text=shown.get("title", ""))
        return await self.create(request, order, lambda: self._take(request, body, users, shown))

    def _take(
        self, request: web.BaseRequest, body: dict[str, Any], users: list[str], shown: dict[str, str]
    ) -> Taken | Refused:
        refusal = self._refusal(request)
        if refusal is not None:
            return Refused("token", refusal)
        if body.get("robotCode") != self.robot_code:
            return Refused("robot", _refused("robotCode.notExsited", 400))
        kind = _kinds.get(body.get("msgKey", ""))
        if kind is None:
            return Refused("msgKey", _refused("invalidParameter.msgKey.invalid", 400))
        names = ("title", "text", *(name for pair in kind for name in pair))
        if len(users) != 1 or any(not shown.get(name) for name in names):
            return Refused("msgParam", _refused("invalidParameter.msgParam.invalid", 400))
        (user,) = users
        reference = secrets.token_urlsafe(16)
        answer: dict[str, Any] = {"processQueryKey": reference}
        unknown = self.members is not None and user not in self.members
        for name, held in (
            ("invalidStaffIdList", unknown),
            ("flowControlledStaffIdList", user in self.throttled),
            ("filteredStaffIdList", user in self.filtered),
        ):
            answer[name] = [user] if held else []
            if held:
                return Refused(name, json_response(answer))
        buttons = tuple(CardButton(shown[title], url=shown[url]) for title, url in kind)
        card = CardReceived(reference, user, shown["title"], shown["text"], self.clock(), buttons=buttons)
        self._by_ref[reference] = card
        return Taken(reference, json_response(answer), self._show(card))

    async def _show(self, card: CardReceived) -> None:
        self.phones.show_card(card)

    def _status(self, reference: str) -> web.Response:
        card = self._by_ref.get(reference)
        if card is None:
            return _refused("processQueryKey.notExisted", 400)
        at = self._read.get(reference)
        reader: dict[str, object] = {"userId": card.to, "readStatus": "UNREAD" if at is None else "READ"}
        if at is not None:
            reader["readTimestamp"] = int(at.timestamp() * 1000)
        status = "RECALLED" if card.recalled else "SUCCESS"
        return json_response({"sendStatus": status, "messageReadInfoList": [reader]})

    def _recall(self, body: dict[str, Any]) -> web.Response:
        known = [key for key in body.get("processQueryKeys", ()) if key in self._by_ref]
        for key in known:
            self.phones.change_card(self._by_ref[key], recalled=True)
        failed = {key: "not found" for key in body.get("processQueryKeys", ()) if key not in known}
        return json_response({"successResult": known, "failedResult": failed})


def _refused(code: str, status: int) -> web.Response:
    return json_response({"code": code, "requestid": secrets.token_hex(8), "message": "refused"}, status)
