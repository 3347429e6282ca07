"""Feishu's callbacks: the address check and pressed buttons, sealed and signed. Pure; never acts.

Source: Feishu open platform, "卡片回传交互回调", "配置回调订阅方式".
"""

import hashlib
import hmac
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from alerting.channels import buttons
from alerting.channels.base import CallbackRequest, Spoken, Stored
from alerting.channels.cards import words_of
from alerting.channels.providers import feishu_crypto
from alerting.channels.providers.feishu_settings import FeishuSettings

age_max_s = 3_600
_JSON = "application/json"
_ids = ("open_id", "user_id", "union_id")


class FeishuCallbacks:
    """Of one app; without its encrypt key nothing is believed: a token that stands in each body is no signature."""

    def __init__(self, settings: FeishuSettings) -> None:
        self._key = settings.encrypt_key
        self._token = settings.verification_token

    def verify(self, request: CallbackRequest, now: datetime) -> bool:
        """Sealed with our key; but for the address check, which carries no signature, signed with it and lately."""
        try:
            told = self._open(request)
        except ValueError:
            return False
        if not self._names_our_token(told):
            return False
        return told.get("type") == "url_verification" or self._signed(request, now)

    def read(self, request: CallbackRequest) -> Sequence[Stored]:
        """A pressed button; [] for everything else."""
        told = self._open(request)
        carried, users = _pressed(told)
        said = buttons.unsealed(carried)
        if said is None or self._key is None:
            return []
        user = next((each for each in users if buttons.opened(self._key, carried, each)), users[0] if users else "")
        event_id = _field(told, "header", "event_id")
        told_once = hashlib.sha256("\0".join((event_id, user, carried)).encode()).hexdigest()
        return [Stored("card", said.attempt_id, told_once, {"user": user, "key": carried, "event": event_id})]

    def answer(self, request: CallbackRequest) -> Spoken | None:
        """The word of the address check; a pressed button: that it was stored; not that anybody goes."""
        told = self._open(request)
        if told.get("type") == "url_verification":
            return Spoken(_JSON, json.dumps({"challenge": told.get("challenge", "")}))
        carried, users = _pressed(told)
        opened = (buttons.opened(self._key or "", carried, user) for user in users)
        pressed = next((each for each in opened if each is not None), None)
        if pressed is None:
            return Spoken(_JSON, "{}")
        heard = words_of(pressed.language).heard[pressed.digit]
        return Spoken(_JSON, json.dumps({"toast": {"type": "success", "content": heard}}, ensure_ascii=False))

    def _open(self, request: CallbackRequest) -> dict[str, Any]:
        if self._key is None or request.method != "POST":
            raise ValueError("no callback of ours")
        return feishu_crypto.opened(self._key, request.body)

    def _signed(self, request: CallbackRequest, now: datetime) -> bool:
        given, timestamp, nonce = (
            request.headers.get(f"x-lark-{name}", "") for name in ("signature", "request-timestamp", "request-nonce")
        )
        if not timestamp.isascii() or not timestamp.isdecimal() or len(timestamp) > 12:
            return False
        if abs(now.timestamp() - int(timestamp)) > age_max_s:
            return False
        return feishu_crypto.signed(self._key or "", given, timestamp, nonce, request.body)

    def _names_our_token(self, told: dict[str, Any]) -> bool:
        given = _field(told, "token") or _field(told, "header", "token")
        return self._token is None or hmac.compare_digest(given.encode(), self._token.encode())


def _pressed(told: dict[str, Any]) -> tuple[str, list[str]]:
    """What the button carries, and every id of the one who pressed it."""
    if _field(told, "header", "event_type") != "card.action.trigger":
        return "", []
    users = [_field(told, "event", "operator", name) for name in _ids]
    return _field(told, "event", "action", "value", "key"), [user for user in users if user]


def _field(document: Any, *path: str) -> str:
    for name in path:
        document = document.get(name) if isinstance(document, dict) else None
    return document if isinstance(document, str) else ""
