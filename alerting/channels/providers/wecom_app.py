"""Pages as WeCom (企业微信) cards with buttons that answer. WeCom having it is all that is known: it sends no receipts.

Never sends one message twice, and never takes silence within a 200 for an acceptance.
"""

import logging

from alerting.channels import cards
from alerting.channels.base import (
    Accepted,
    Caps,
    Finding,
    Health,
    HealthWord,
    Rejected,
    Scope,
    Submission,
    Submitted,
    Window,
    acceptance,
)
from alerting.channels.providers import wecom_cards
from alerting.channels.providers.wecom_errors import TRUSTED_IP
from alerting.channels.providers.wecom_settings import WecomSettings
from alerting.channels.tokens import Failed, Told
from alerting.channels.work_apps import WorkApp, WorkAppChannel, addressed

log = logging.getLogger(__name__)

control_timeout_s = 5.0

CAPS = Caps(
    links=True,
    cancels=True,
    windows=(Window(30, 60.0), Window(1_000, 3_600.0)),
)
"""To one member 30 messages in a minute and 1,000 in an hour; what is more, WeCom drops without a word."""


class WecomApp(WorkAppChannel):
    name = "wecom"
    caps = CAPS

    def __init__(self, settings: WecomSettings, account: WorkApp) -> None:
        super().__init__(account, settings.encoding_aes_key)
        self._settings = settings

    async def submit(self, submission: Submission, deadline_s: float) -> Submitted:
        """One POST. Whoever was asked before and is told now sees it on his old card as well."""
        found = addressed(submission)
        if isinstance(found, Rejected):
            return found
        user_id, text = found
        body = wecom_cards.message(submission, text, user_id, self._settings)
        told = await self._account.call("POST", "message/send", deadline_s, body=body)
        answer = _sent(told)
        if not isinstance(answer, Accepted):
            log.warning("wecom: %s", answer)
        elif isinstance(told, dict):
            self._after(submission, user_id, text, told)
        return answer

    async def cancel(self, provider_ref: str) -> bool:
        """Recall it from every phone: possible for 24 hours."""
        told = await self._account.call("POST", "message/recall", control_timeout_s, body={"msgid": provider_ref})
        return isinstance(told, dict)

    async def check(self) -> Health:
        """The app as WeCom describes it."""
        asked = {"agentid": str(self._settings.agent_id)}
        told = await self._account.call("GET", "agent/get", control_timeout_s, query=asked)
        callback = self._callback_finding("Cards have no buttons: set wecom.token and wecom.encoding_aes_key.")
        return Health((*_findings(told), callback))

    def _after(self, submission: Submission, user_id: str, text: cards.AppText, told: Told) -> None:
        """Remember a card's buttons, or replace those of older cards of the same incident."""
        incident_id, code = submission.incident_id, told.get("response_code")
        if text.asks:
            if isinstance(code, str) and code:
                self._older.keep(incident_id, user_id, code)
            return
        for old in self._older.take(incident_id, user_id):
            self._older.behind(self._replace(user_id, old, text.gist))

    async def _replace(self, user_id: str, response_code: str, said: str) -> None:
        body = wecom_cards.button_said(self._settings, user_id, response_code, said)
        told = await self._account.call("POST", "message/update_template_card", control_timeout_s, body=body)
        if not isinstance(told, dict):
            log.info("wecom: an older card keeps its buttons: %s", told)


def _sent(told: Told | Failed) -> Submitted:
    """A 200 with `errcode` 0 may still have reached nobody."""
    if not isinstance(told, dict):
        return told
    if told.get("invaliduser"):
        return Rejected("user_unknown", Scope.NUMBER, "invaliduser")
    if told.get("unlicenseduser"):
        return Rejected("user_unlicensed", Scope.NUMBER, "unlicenseduser")
    return acceptance(told.get("msgid"))


def _findings(told: Told | Failed) -> tuple[Finding, ...]:
    match told:
        case dict():
            closed = told.get("close") == 1
            detail = "The app is switched off in WeCom: switch it on." if closed else ""
            return (
                Finding("credentials", HealthWord.FINE),
                Finding("agent", HealthWord.FAULT if closed else HealthWord.FINE, detail),
            )
        case Rejected(code=code) if code == str(TRUSTED_IP):
            detail = (
                "WeCom does not know our address: add this server's public IP to the app's trusted IPs (企业可信IP)."
            )
            return (Finding("trusted_ip", HealthWord.FAULT, detail),)
        case Rejected(reason=reason, code=code):
            detail = f"WeCom refuses ({reason} {code}): compare wecom.corp_id, agent_id and secret with its console."
            return (Finding("credentials", HealthWord.FAULT, detail),)
        case _:
            return (Finding("credentials", HealthWord.UNKNOWN, "WeCom does not answer."),)
