"""Feishu's open API for one bot: tokens, cards to persons, the buzz, what they press and have read.

Refusals have a code in the body. Never invents an acceptance.
"""

import secrets
from typing import Any, Unpack

import msgspec
from aiohttp import web

from devices.model import Channel
from simulators.emulating import CallbackLine, Fault, Order, Refused, Taken, json_response
from simulators.emulating.work_app import WorkAppEmulator, WorkAppGeneral
from simulators.feishu import sealing
from simulators.phone import CardButton, CardReceived, PhoneEventKind

_stale, _malformed, _unknown_user, _address, _no_message = 99991663, 230001, 230034, 99991401, 230011
uuid_chars_max = 50


class FeishuEmulator(WorkAppEmulator):
    """callback_url: set once the service under test has its port. Further arguments as in `WorkAppEmulator`.

    active: False: the organisation has not switched the app on.
    """

    def __init__(
        self,
        *,
        app_id: str,
        app_secret: str,
        encrypt_key: str = "",
        verification_token: str = "",
        callback_url: str | None = None,
        **general: Unpack[WorkAppGeneral],
    ) -> None:
        super().__init__(**general)
        self.app_id, self._app_secret = app_id, app_secret
        self.encrypt_key, self.verification_token = encrypt_key, verification_token
        self.callback_url = callback_url
        self.active = True
        self.toasts: list[str] = []
        self._seen: dict[str, str] = {}

    async def press(self, card: CardReceived, label: str, *, by: str = "") -> None:
        """A person presses a button; returns when the customer has answered. `by`: somebody else's thumb."""
        button, user = card.button(label), by or card.to
        self.phones.tell(PhoneEventKind.BUTTON_PRESSED, user, card.ref, card.attempt, label)
        document = {
            "schema": "2.0",
            "header": {
                "event_id": secrets.token_hex(16),
                "token": self.verification_token,
                "create_time": str(int(self.clock().timestamp() * 1_000_000)),
                "event_type": "card.action.trigger",
                "app_id": self.app_id,
            },
            "event": {
                "operator": {"open_id": user, "union_id": f"on_{user}", "tenant_key": "t"},
                "token": f"c-{secrets.token_hex(8)}",
                "action": {"value": {"key": button.key}, "tag": "button"},
                "context": {"open_message_id": card.ref},
            },
        }
        line = CallbackLine[dict[str, Any]](Channel.APP, card.to, self.faults, self.background, self._post)
        line.post(document)
        line.finish()
        await line.drained()

    async def check_address(self) -> bool:
        """What the console does when the callback address is saved: sealed, but not signed."""
        challenge = secrets.token_hex(8)
        document = {"type": "url_verification", "token": self.verification_token, "challenge": challenge}
        body = sealing.close(self.encrypt_key, document)
        answer = await self.poster.post(str(self.callback_url), body, {"Content-Type": "application/json"})
        return answer is not None and msgspec.json.decode(answer.body) == {"challenge": challenge}

    async def answer(self, request: web.BaseRequest, body: bytes) -> web.StreamResponse:
        path = request.path.removeprefix("/open-apis/")
        if path == "im/v1/messages" and request.method == "POST":
            return await self._send(request, msgspec.json.decode(body, type=dict[str, Any]))
        spoilt = await self.spoil_read(request, Channel.APP, None)
        if spoilt is not None:
            return spoilt
        if path == "auth/v3/tenant_access_token/internal":
            return self._token(msgspec.json.decode(body, type=dict[str, Any]))
        refusal = self._refusal(request)
        if refusal:
            return _said(refusal)
        if path == "bot/v3/info":
            return json_response({"code": 0, "msg": "ok", "bot": {"activate_status": 2 if self.active else 0}})
        return self._on_message(request, path.removeprefix("im/v1/messages/").split("/"), body)

    def error_answer(self, fault: Fault) -> web.StreamResponse:
        return _said(int(fault.code), status=fault.status if int(fault.code) % 2 else 200)

    async def reset(self) -> None:
        await super().reset()
        self._seen.clear()
        self.toasts.clear()

    async def _post(self, document: dict[str, Any]) -> None:
        body = sealing.close(self.encrypt_key, document)
        signed = sealing.headers(self.encrypt_key, body, str(int(self.clock().timestamp())))
        answer = await self.poster.post(str(self.callback_url), body, signed)
        if answer is not None and answer.body:
            toast = msgspec.json.decode(answer.body, type=dict[str, Any]).get("toast")
            self.toasts += [toast["content"]] if toast else []

    def _token(self, body: dict[str, Any]) -> web.Response:
        if body.get("app_id") != self.app_id:
            return _said(10003)
        if body.get("app_secret") != self._app_secret:
            return _said(10014)
        token = self._give(f"t-{secrets.token_hex(16)}")
        return json_response({"code": 0, "msg": "ok", "tenant_access_token": token, "expire": self.token_lives_s})

    def _refusal(self, request: web.BaseRequest) -> int:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if not self._lives(token):
            return _stale
        return 0 if self.address_trusted else _address

    async def _send(self, request: web.BaseRequest, body: dict[str, Any]) -> web.StreamResponse:
        card = _card(body)
        title = card.get("header", {}).get("title", {}).get("content", "")
        order = Order(Channel.APP, to=body.get("receive_id"), text=title, attempt=body.get("uuid"))
        return await self.create(request, order, lambda: self._take(request, body, card))

    def _take(self, request: web.BaseRequest, body: dict[str, Any], card: dict[str, Any]) -> Taken | Refused:
        user, uuid = body.get("receive_id", ""), body.get("uuid", "")
        refusal = self._refusal(request)
        kind = request.query.get("receive_id_type")
        expected = {"ou_": "open_id", "on_": "union_id"}.get(user[:3], "user_id")
        if not refusal and (not _well_formed(card) or len(uuid) > uuid_chars_max or kind != expected):
            refusal = _malformed
        if not refusal and self.members is not None and user not in self.members:
            refusal = _unknown_user
        if refusal:
            return Refused(refusal, _said(refusal, status=400))
        if uuid in self._seen:
            return Taken(self._seen[uuid], _said(0, {"message_id": self._seen[uuid]}))
        shown = CardReceived(ref=f"om_{secrets.token_hex(16)}", to=user, title="", body="", at=self.clock())
        shown.attempt = uuid or None
        _put(shown, card)
        self._by_ref[shown.ref] = shown
        if uuid:
            self._seen[uuid] = shown.ref
        return Taken(shown.ref, _said(0, {"message_id": shown.ref}), self._show(shown))

    def _on_message(self, request: web.BaseRequest, path: list[str], body: bytes) -> web.Response:
        card = self._by_ref.get(path[0])
        if card is None:
            return _said(_no_message, status=400)
        match request.method, path[1:]:
            case "DELETE", []:
                self.phones.change_card(card, recalled=True)
            case "PATCH", []:
                _put(card, _card(msgspec.json.decode(body, type=dict[str, Any])))
                self.phones.change_card(card, said=card.body)
            case "PATCH", ["urgent_app"]:
                card.urgent = True
                self.phones.change_card(card)
            case "GET", ["read_users"]:
                at = self._read.get(card.ref)
                stamp = "" if at is None else str(int(at.timestamp() * 1000))
                items = [] if at is None else [{"user_id_type": "open_id", "user_id": card.to, "timestamp": stamp}]
                return _said(0, {"items": items, "has_more": False})
        return _said(0, {})


def _card(body: dict[str, Any]) -> dict[str, Any]:
    try:
        return msgspec.json.decode(body.get("content", ""), type=dict[str, Any])
    except msgspec.MsgspecError:
        return {}


def _well_formed(card: dict[str, Any]) -> bool:
    elements = card.get("body", {}).get("elements", [])
    known = all(each.get("tag") in ("div", "button") for each in elements)
    return card.get("schema") == "2.0" and bool(card.get("header", {}).get("title", {}).get("content")) and known


def _put(shown: CardReceived, card: dict[str, Any]) -> None:
    """What the person sees of a card."""
    elements = card["body"]["elements"]
    texts = [each["text"]["content"] for each in elements if each["tag"] == "div"]
    shown.title, shown.body = card["header"]["title"]["content"], "\n".join(texts)
    buttons = []
    for each in elements:
        if each["tag"] == "button":
            (does,) = each["behaviors"]
            key, url = does.get("value", {}).get("key", ""), does.get("default_url", "")
            buttons.append(CardButton(each["text"]["content"], key, url))
    shown.buttons = tuple(buttons)


def _said(code: int, data: dict[str, Any] | None = None, status: int = 200) -> web.Response:
    body: dict[str, Any] = {"code": code, "msg": "success" if code == 0 else "refused"}
    return json_response(body | ({} if data is None else {"data": data}), status)
