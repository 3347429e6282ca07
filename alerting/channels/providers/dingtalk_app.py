"""Pages as messages of a DingTalk (钉钉) robot, with a button that opens the answer page.

Never sends one message twice, and never takes a person named in a list of refusals for reached.
"""

import json
import logging
from datetime import UTC, datetime

from alerting.channels import cards
from alerting.channels.base import (
    Accepted,
    Busy,
    CallbackEvent,
    Caps,
    Finding,
    Health,
    HealthWord,
    Receipt,
    ReceiptKind,
    Rejected,
    Scope,
    Submission,
    Submitted,
    acceptance,
)
from alerting.channels.cards import AppText
from alerting.channels.providers.dingtalk_errors import TRUSTED_IP, throttled_s
from alerting.channels.providers.dingtalk_settings import DingtalkSettings
from alerting.channels.tokens import Failed, Told
from alerting.channels.work_apps import WorkApp, WorkAppChannel, addressed
from alerting.core.languages.surfaces import Cards

log = logging.getLogger(__name__)

control_timeout_s = 5.0
CAPS = Caps(receipts=True, links=True, cancels=True)
"""Whether a person has read it can be asked. DingTalk names whom it holds back, so no window of ours is needed."""

_MARKDOWN = str.maketrans("*_`[]<>#|", "＊＿｀［］＜＞＃｜")
"""A place's name shall not turn into a headline or a link."""


class DingtalkApp(WorkAppChannel):
    name = "dingtalk"
    caps = CAPS

    def __init__(self, settings: DingtalkSettings, account: WorkApp) -> None:
        super().__init__(account)
        self._robot = settings.robot

    async def submit(self, submission: Submission, deadline_s: float) -> Submitted:
        """One POST to one person."""
        found = addressed(submission)
        if isinstance(found, Rejected):
            return found
        user_id, text = found
        kind, shown = message(text, cards.words_of(submission.language))
        body = {
            "robotCode": self._robot,
            "userIds": [user_id],
            "msgKey": kind,
            "msgParam": json.dumps(shown, ensure_ascii=False),
        }
        told = await self._account.call("POST", "robot/oToMessages/batchSend", deadline_s, body=body)
        answer = _sent(told)
        if not isinstance(answer, Accepted):
            log.warning("dingtalk: %s", answer)
        return answer

    async def cancel(self, provider_ref: str) -> bool:
        """Recall it: possible for 24 hours."""
        body = {"robotCode": self._robot, "processQueryKeys": [provider_ref]}
        told = await self._account.call("POST", "robot/otoMessages/batchRecall", control_timeout_s, body=body)
        return isinstance(told, dict) and provider_ref in (told.get("successResult") or ())

    async def poll(self, submission: Submission, provider_ref: str) -> list[CallbackEvent]:
        """Has he read it? That it was delivered is all that this proves."""
        query = {"robotCode": self._robot, "processQueryKey": provider_ref}
        told = await self._account.call("GET", "robot/oToMessages/readStatus", control_timeout_s, query=query)
        return [] if not isinstance(told, dict) else _receipts(submission.attempt_id, provider_ref, told)

    async def check(self) -> Health:
        """A token is given, and the robot's messages can be asked about."""
        query = {"robotCode": self._robot, "processQueryKey": "0"}
        told = await self._account.call("GET", "robot/oToMessages/readStatus", control_timeout_s, query=query)
        return Health((_finding(told),))


def message(text: AppText, words: Cards) -> tuple[str, dict[str, str]]:
    """The kind of message and what it shows: buttons for the answer page (who is asked) and the map."""
    lines = [f"### {_plain(text.title)}", _plain(text.body)]
    lines += [f"{name}：{_plain(value)}" for name, value in cards.rows(text, words)]
    shown = {"title": text.title, "text": "\n\n".join(lines)}
    buttons = [(words.answer, text.answer_url)] if text.opens else []
    buttons += [(words.map, text.map_url)] if text.map_url else []
    match buttons:
        case [(first, first_url), (second, second_url)]:
            shown |= {"actionTitle1": first, "actionURL1": first_url, "actionTitle2": second, "actionURL2": second_url}
            return "sampleActionCard2", shown
        case [(only, url)]:
            return "sampleActionCard", shown | {"singleTitle": only, "singleURL": url}
    return "sampleMarkdown", shown


def _plain(text: str) -> str:
    return text.translate(_MARKDOWN)


def _sent(told: Told | Failed) -> Submitted:
    """An answer without an error may still have reached nobody."""
    if not isinstance(told, dict):
        return told
    if told.get("invalidStaffIdList"):
        return Rejected("user_unknown", Scope.NUMBER, "invalidStaffIdList")
    if told.get("filteredStaffIdList"):
        return Rejected("user_filtered", Scope.NUMBER, "filteredStaffIdList")
    if told.get("flowControlledStaffIdList"):
        return Busy(throttled_s, number_limit=True)
    return acceptance(told.get("processQueryKey"))


def _receipts(attempt_id: str, provider_ref: str, told: Told) -> list[CallbackEvent]:
    readers = told.get("messageReadInfoList")
    for reader in readers if isinstance(readers, list) else ():
        if isinstance(reader, dict) and reader.get("readStatus") == "READ":
            return [Receipt(attempt_id, ReceiptKind.DELIVERED, provider_ref, at=_instant(reader.get("readTimestamp")))]
    if told.get("sendStatus") == "SUCCESS":
        return [Receipt(attempt_id, ReceiptKind.SENT, provider_ref)]
    return []


def _instant(milliseconds: object) -> datetime | None:
    if not isinstance(milliseconds, int) or not 0 < milliseconds < 10**13:
        return None
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _finding(told: Told | Failed) -> Finding:
    match told:
        case Rejected(code=code) if code == TRUSTED_IP:
            detail = "DingTalk does not know our address: add this server's public IP under 安全设置, 服务器出口IP."
            return Finding("trusted_ip", HealthWord.FAULT, detail)
        case Rejected(reason="credentials" | "app_permission" | "robot" | "access_token" as reason, code=code):
            detail = f"DingTalk refuses ({reason} {code}): compare dingtalk.app_key and app_secret with its console."
            return Finding("credentials", HealthWord.FAULT, detail)
        case dict():
            return Finding("credentials", HealthWord.FINE)
        case Rejected(reason=reason) if not reason.startswith("http_"):
            return Finding("credentials", HealthWord.FINE)  # it knows us; that message it does not know, there is none
        case _:
            return Finding("credentials", HealthWord.UNKNOWN, "DingTalk does not answer.")
