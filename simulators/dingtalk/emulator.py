"""DingTalk's v1.0 API for one robot: tokens, messages to persons, what they have read.

Whoever cannot be reached is named in a list of a 200. Never invents an acceptance.
"""

import secrets
from typing import Any, Unpack

import msgspec
from aiohttp import web

from devices.model import Channel
from simulators.emulating import Fault, Order, Refused, Taken, json_response
from simulators.emulating.work_app import WorkAppEmulator, WorkAppGeneral
from simulators.phone import CardButton, CardReceived

_kinds = {
    "sampleMarkdown": (),
    "sampleActionCard": (("singleTitle", "singleURL"),),
    "sampleActionCard2": (("actionTitle1", "actionURL1"), ("actionTitle2", "actionURL2")),
}


class DingtalkEmulator(WorkAppEmulator):
    """throttled, filtered: named in the answer's lists, not shown anything. Arguments: see `WorkAppEmulator` too."""

    def __init__(self, *, app_key: str, app_secret: str, robot_code: str, **general: Unpack[WorkAppGeneral]) -> None:
        super().__init__(**general)
        self.app_key, self._app_secret, self.robot_code = app_key, app_secret, robot_code
        self.throttled: set[str] = set()
        self.filtered: set[str] = set()

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

    def error_answer(self, fault: Fault) -> web.StreamResponse:
        code = str(fault.code)
        if code.lstrip("-").isdecimal():  # an older machine of theirs: inside a 200
            return json_response({"errcode": int(code), "errmsg": "error"})
        return _refused(code, fault.status)

    def _token(self, body: dict[str, Any]) -> web.Response:
        if (body.get("appKey"), body.get("appSecret")) != (self.app_key, self._app_secret):
            return _refused("invalidClientIdOrSecret", 400)
        token = self._give(secrets.token_hex(16))
        return json_response({"accessToken": token, "expireIn": self.token_lives_s})

    def _refusal(self, request: web.BaseRequest) -> web.Response | None:
        token = request.headers.get("x-acs-dingtalk-access-token", "")
        if not self._lives(token):
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
