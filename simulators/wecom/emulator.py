"""WeCom's server API for one app: tokens, `message/send`, cards that change, what its members press.

Refusals come inside a 200, and what exceeds a member's limit is dropped without a word. Never invents an acceptance.
"""

import secrets
import time
from collections import Counter, deque
from typing import Any, Unpack

import aiohttp
import msgspec
from aiohttp import web

from devices.model import Channel
from simulators.emulating import CallbackLine, Fault, Order, Refused, Taken, json_response
from simulators.emulating.control import json_object
from simulators.emulating.work_app import WorkAppEmulator, WorkAppGeneral
from simulators.phone import CardButton, CardReceived, PhoneEventKind
from simulators.wecom import checks, events
from simulators.wecom.sealing import Seal

per_minute_max, per_hour_max = 30, 1_000
_wrong_token, _token_ended, _no_token = 40014, 42001, 41001
_address_unknown = 60020
_user_unknown = 81013


class WecomEmulator(WorkAppEmulator):
    """callback_url: set once the service under test has its port. Further arguments as in `WorkAppEmulator`.

    lists_unknown: an unknown member is named in `invaliduser` of a 200 with errcode 0, as in a message to several.
    """

    def __init__(
        self,
        *,
        corp_id: str,
        agent_id: int,
        secret: str,
        seal: Seal | None = None,
        callback_url: str | None = None,
        **general: Unpack[WorkAppGeneral],
    ) -> None:
        super().__init__(**general)
        self.corp_id, self.agent_id, self._secret = corp_id, agent_id, secret
        self.seal = seal
        self.callback_url = callback_url
        self.lists_unknown = False
        self.switched_off = False
        self.dropped: Counter[str] = Counter()
        self.replies: list[str] = []
        """What the customer's answers to pressed buttons wrote on them."""
        self._codes: dict[str, CardReceived] = {}
        self._sent_to: dict[str, deque[float]] = {}
        self._seen: dict[bytes, str] = {}
        self._control.table |= {("GET", "cards"): self._cards, ("POST", "press"): self._press}

    async def press(self, card: CardReceived, label: str, *, by: str = "") -> None:
        """A member presses a button; returns when the customer has answered. `by`: somebody else's thumb."""
        button = card.button(label)
        user = by or card.to
        self.phones.tell(PhoneEventKind.BUTTON_PRESSED, user, card.ref, card.attempt, label)
        code = secrets.token_hex(8)
        self._codes[code] = card
        assert self.seal is not None, "no callback secrets are set"
        at = int(self.clock().timestamp())
        event = events.card_event(self.corp_id, user, button.key, card.attempt or "", code, at, self.agent_id)
        line = CallbackLine[events.Call](
            Channel.APP, card.to, self.faults, self.background, lambda call: self._post(call, card)
        )
        line.post(events.signed(self.seal, event, str(at), self.agent_id))
        line.finish()
        await line.drained()

    async def check_address(self) -> bool:
        """What the console does when the callback address is saved."""
        assert self.seal is not None
        assert self.callback_url is not None
        word = str(secrets.randbelow(10**19))
        call = events.address_check(self.seal, word, str(int(self.clock().timestamp())))
        async with aiohttp.ClientSession() as session, session.get(f"{self.callback_url}?{call.query}") as answer:
            return answer.status == 200 and await answer.text() == word

    async def answer(self, request: web.BaseRequest, body: bytes) -> web.StreamResponse:
        path = request.path.removeprefix("/cgi-bin/")
        if path == "message/send" and request.method == "POST":
            return await self._send(request, body)
        spoilt = await self.spoil_read(request, Channel.APP, None)
        if spoilt is not None:
            return spoilt
        if path == "gettoken":
            return self._token(request)
        refusal = self._refusal(request)
        if refusal:
            return _said(refusal)
        match request.method, path:
            case "GET", "agent/get" if request.query.get("agentid") == str(self.agent_id):
                return _said(0, agentid=self.agent_id, name="app", close=int(self.switched_off))
            case "GET", "agent/get":
                return _said(40056)
            case "POST", "message/recall":
                return self._recall(msgspec.json.decode(body))
            case "POST", "message/update_template_card":
                return self._update(msgspec.json.decode(body))
        return web.Response(status=404)

    def error_answer(self, fault: Fault) -> web.StreamResponse:
        return _said(int(fault.code))

    async def reset(self) -> None:
        await super().reset()
        for held in (self._codes, self._sent_to, self._seen, self.dropped, self.replies):
            held.clear()

    async def _cards(self, request: web.BaseRequest) -> object:
        """`GET /_emulator/cards?user=`: what the phones show."""
        user = request.query.get("user")
        return [card for card in self.phones.cards if user in (None, card.to)]

    async def _press(self, request: web.BaseRequest) -> object:
        """`POST /_emulator/press`: {"ref", "label", "by"?}; the card as it looks then."""
        wish = await json_object(request)
        card = self._by_ref.get(str(wish.get("ref")))
        if card is None:
            raise ValueError("no such card")
        await self.press(card, str(wish.get("label")), by=str(wish.get("by") or ""))
        return card

    async def _post(self, call: events.Call, card: CardReceived) -> None:
        answer = await self.poster.post(f"{self.callback_url}?{call.query}", call.body, {"Content-Type": "text/xml"})
        if answer is None or self.seal is None:
            return
        said = events.replacement(self.seal, answer.body)
        if said is not None:
            self.replies.append(said)
            self.phones.change_card(card, said=said)

    def _token(self, request: web.BaseRequest) -> web.Response:
        if request.query.get("corpid") != self.corp_id:
            return _said(40013)
        if request.query.get("corpsecret") != self._secret:
            return _said(40001)
        token = self._give(secrets.token_urlsafe(24))
        return _said(0, access_token=token, expires_in=self.token_lives_s)

    def _refusal(self, request: web.BaseRequest) -> int:
        token = request.query.get("access_token")
        if not token:
            return _no_token
        if token not in self._tokens:
            return _wrong_token
        if not self._lives(token):
            return _token_ended
        return 0 if self.address_trusted else _address_unknown

    async def _send(self, request: web.BaseRequest, raw: bytes) -> web.StreamResponse:
        try:
            body = msgspec.json.decode(raw, type=dict[str, Any])
        except msgspec.DecodeError:
            return _said(47001)
        card = body.get("template_card", {})
        order = Order(
            channel=Channel.APP,
            to=body.get("touser"),
            sender=str(body.get("agentid")),
            text=card.get("main_title", {}).get("title") or body.get("text", {}).get("content", ""),
            attempt=card.get("task_id"),
        )
        return await self.create(request, order, lambda: self._take(request, raw, body))

    def _take(self, request: web.BaseRequest, raw: bytes, body: dict[str, Any]) -> Taken | Refused:
        user = str(body.get("touser", ""))
        refusal = self._refusal(request) or (0 if body.get("agentid") == self.agent_id else 40056)
        refusal = refusal or (0 if user else 82001) or checks.fault_of(body)
        unknown = self.members is not None and user not in self.members
        if unknown and not self.lists_unknown:
            refusal = refusal or _user_unknown
        if refusal:
            return Refused(refusal, _said(refusal))
        if unknown:
            return Refused("invaliduser", _said(0, invaliduser=user, msgid=secrets.token_urlsafe(16)))
        if body.get("enable_duplicate_check") and raw in self._seen:
            return Taken(self._seen[raw], _said(0, msgid=self._seen[raw]))
        shown = self._shown(user, body)
        self._seen[raw] = shown.ref
        if not self._room_for(user):
            self.dropped[user] += 1
            return Taken(shown.ref, _said(0, msgid=shown.ref))
        self._by_ref[shown.ref] = shown
        told = {"msgid": shown.ref}
        if shown.buttons and shown.buttons[0].key:
            code = told["response_code"] = secrets.token_hex(8)
            self._codes[code] = shown
        return Taken(shown.ref, _said(0, **told), self._show(shown))

    def _shown(self, user: str, body: dict[str, Any]) -> CardReceived:
        card = body.get("template_card", {})
        title, _, rest = body.get("text", {}).get("content", "").partition("\n")
        buttons = [CardButton(each["text"], key=each["key"]) for each in card.get("button_list", [])]
        buttons += [CardButton(each["title"], url=each["url"]) for each in card.get("jump_list", [])]
        return CardReceived(
            ref=secrets.token_urlsafe(24),
            to=user,
            title=card.get("main_title", {}).get("title", title),
            body=card.get("sub_title_text", rest),
            at=self.clock(),
            attempt=card.get("task_id"),
            rows=tuple((row["keyname"], row.get("value", "")) for row in card.get("horizontal_content_list", [])),
            buttons=tuple(buttons),
        )

    def _room_for(self, user: str) -> bool:
        """30 in a minute, 1,000 in an hour."""
        now, sent = time.monotonic(), self._sent_to.setdefault(user, deque(maxlen=per_hour_max))
        in_minute = sum(now - at < 60.0 for at in sent)
        if in_minute >= per_minute_max or (len(sent) == per_hour_max and now - sent[0] < 3_600.0):
            return False
        sent.append(now)
        return True

    async def _show(self, card: CardReceived) -> None:
        await super()._show(card)
        behaviour = self.phones.behaviour(card.to)
        if behaviour.taps is None or not any(button.key for button in card.buttons):
            return
        await self.pace.sleep(behaviour.taps_after_s)
        await self.press(card, card.buttons[behaviour.taps - 1].label)

    def _recall(self, body: dict[str, Any]) -> web.Response:
        card = self._by_ref.get(body.get("msgid", ""))
        if card is None:
            return _said(checks.parameter_wrong)
        self.phones.change_card(card, recalled=True)
        return _said(0)

    def _update(self, body: dict[str, Any]) -> web.Response:
        card = self._codes.pop(body.get("response_code", ""), None)
        if card is None or body.get("userids") != [card.to] or body.get("agentid") != self.agent_id:
            return _said(checks.parameter_wrong)
        self.phones.change_card(card, said=body["button"]["replace_name"])
        return _said(0)


def _said(errcode: int, **more: object) -> web.Response:
    return json_response({"errcode": errcode, "errmsg": "ok" if errcode == 0 else f"error {errcode}", **more})
