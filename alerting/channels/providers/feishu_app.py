"""Pages as Feishu (飞书) cards with buttons that answer, buzzed inside the app where that is allowed.

Never sends one message twice: Feishu drops a second one with the same attempt id within an hour.
"""

import json
import logging
from datetime import UTC, datetime
from urllib.parse import quote

from alerting.channels import cards
from alerting.channels.base import (
    Accepted,
    CallbackEvent,
    Caps,
    Finding,
    Health,
    HealthWord,
    Receipt,
    ReceiptKind,
    Rejected,
    Submission,
    Submitted,
    acceptance,
)
from alerting.channels.providers.feishu_cards import card
from alerting.channels.providers.feishu_errors import TRUSTED_IP
from alerting.channels.providers.feishu_settings import FeishuSettings
from alerting.channels.tokens import Failed, Told
from alerting.channels.work_apps import WorkApp, WorkAppChannel, addressed

log = logging.getLogger(__name__)

control_timeout_s = 5.0
CAPS = Caps(receipts=True, links=True, cancels=True)
"""Whether a person has read it can be asked. To one person 5 messages in a second: nothing that we come near."""
_active = 2


class FeishuApp(WorkAppChannel):
    name = "feishu"
    caps = CAPS

    def __init__(self, settings: FeishuSettings, account: WorkApp) -> None:
        super().__init__(account, settings.encrypt_key)
        self._settings = settings

    async def submit(self, submission: Submission, deadline_s: float) -> Submitted:
        """One POST; the buzz and the change of older cards follow behind."""
        found = addressed(submission)
        if isinstance(found, Rejected):
            return found
        person, text = found
        shown = card(submission, text, person, self._settings)
        body = {
            "receive_id": person,
            "msg_type": "interactive",
            "content": json.dumps(shown, ensure_ascii=False),
            "uuid": submission.attempt_id,
        }
        query = {"receive_id_type": id_type(person)}
        told = await self._account.call("POST", "im/v1/messages", deadline_s, query=query, body=body)
        answer = _sent(told)
        if isinstance(answer, Accepted):
            self._after(submission, person, text, answer.provider_ref, body["content"])
        else:
            log.warning("feishu: %s", answer)
        return answer

    async def cancel(self, provider_ref: str) -> bool:
        """Recall it."""
        told = await self._account.call("DELETE", f"im/v1/messages/{quote(provider_ref, safe='')}", control_timeout_s)
        return isinstance(told, dict)

    async def poll(self, submission: Submission, provider_ref: str) -> list[CallbackEvent]:
        """Has he read it? That it was delivered is all that this proves."""
        path = f"im/v1/messages/{quote(provider_ref, safe='')}/read_users"
        query = {"user_id_type": "open_id"}
        told = await self._account.call("GET", path, control_timeout_s, query=query)
        return [] if not isinstance(told, dict) else _receipts(submission.attempt_id, provider_ref, told)

    async def check(self) -> Health:
        """The bot as Feishu describes it."""
        told = await self._account.call("GET", "bot/v3/info", control_timeout_s)
        callback = self._callback_finding("Cards have no buttons that answer: set feishu.encrypt_key.")
        return Health((_finding(told), callback))

    def _after(self, submission: Submission, person: str, text: cards.AppText, message_id: str, content: str) -> None:
        if not text.asks:
            for old in self._older.take(submission.incident_id, person):
                self._older.behind(self._change(old, content))
            return
        self._older.keep(submission.incident_id, person, message_id)
        if self._settings.urgent:
            self._older.behind(self._buzz(person, message_id))

    async def _buzz(self, person: str, message_id: str) -> None:
        path, query = f"im/v1/messages/{quote(message_id, safe='')}/urgent_app", {"user_id_type": id_type(person)}
        told = await self._account.call("PATCH", path, control_timeout_s, query=query, body={"user_id_list": [person]})
        if not isinstance(told, dict):
            log.warning("feishu: shown, but not buzzed: %s", told)

    async def _change(self, message_id: str, content: str) -> None:
        path = f"im/v1/messages/{quote(message_id, safe='')}"
        told = await self._account.call("PATCH", path, control_timeout_s, body={"content": content})
        if not isinstance(told, dict):
            log.info("feishu: an older card keeps its buttons: %s", told)


def id_type(person: str) -> str:
    """Feishu's ids say by their first letters what they are."""
    return {"ou_": "open_id", "on_": "union_id"}.get(person[:3], "user_id")


def _sent(told: Told | Failed) -> Submitted:
    if not isinstance(told, dict):
        return told
    data = told.get("data")
    return acceptance(data.get("message_id") if isinstance(data, dict) else None)


def _receipts(attempt_id: str, provider_ref: str, told: Told) -> list[CallbackEvent]:
    data = told.get("data")
    readers = data.get("items") if isinstance(data, dict) else None
    if not isinstance(readers, list) or not readers or not isinstance(readers[0], dict):
        return []
    at = str(readers[0].get("timestamp", ""))
    known = at.isascii() and at.isdecimal() and 0 < len(at) <= 13
    instant = datetime.fromtimestamp(int(at) / 1000, UTC) if known else None
    return [Receipt(attempt_id, ReceiptKind.DELIVERED, provider_ref, at=instant)]


def _finding(told: Told | Failed) -> Finding:
    match told:
        case {"bot": {"activate_status": status}} if status != _active:
            detail = "The app is not switched on in this organisation: publish it and have an administrator enable it."
            return Finding("credentials", HealthWord.FAULT, detail)
        case dict():
            return Finding("credentials", HealthWord.FINE)
        case Rejected(code=code) if code == TRUSTED_IP:
            detail = "Feishu does not know our address: add this server's public IP to the app's IP white list."
            return Finding("trusted_ip", HealthWord.FAULT, detail)
        case Rejected(reason=reason, code=code):
            detail = f"Feishu refuses ({reason} {code}): compare feishu.app_id, app_secret and the app's permissions."
            return Finding("credentials", HealthWord.FAULT, detail)
        case _:
            return Finding("credentials", HealthWord.UNKNOWN, "Feishu does not answer.")
