"""A cheap look at an Alibaba Cloud account: is the signature approved, are the templates, word by word; what is left.

Asks only what costs nothing and reaches nobody. Of voice templates Alibaba tells nothing: see `voice_health`.
"""

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any

from alerting.channels.base import Finding, Health, HealthWord, Rejected
from alerting.channels.providers.aliyun_client import AliyunAccount, Got
from alerting.channels.providers.aliyun_settings import AliyunSettings, Templates, VoiceKeys
from alerting.core.templates import TEMPLATES, Style, hash_of, text_hash
from devices.model import Channel, Language

check_timeout_s = 4.0
queries_at_once = 8
approved = 1
_states = {0: "is still being reviewed", 2: "was refused", 10: "was taken back"}
_account_codes = frozenset({"credentials", "permission", "clock", "address_not_allowed", "not_subscribed"})
_unknown_call = "100000000000^100000000000"
_notification = "11010000138001"


async def sms_health(account: AliyunAccount) -> Health:
    """The signature, each template and the balance, asked side by side."""
    settings = account.settings
    wanted = list(_wanted(settings.sms_templates))
    turn = asyncio.Semaphore(queries_at_once)

    async def template(code: str) -> Got:
        async with turn:
            return await account.sms("QuerySmsTemplate", {"TemplateCode": code}, check_timeout_s)

    sign, balance, *templates = await asyncio.gather(
        account.sms("QuerySmsSign", {"SignName": settings.sign_name}, check_timeout_s),
        account.balance(check_timeout_s),
        *(template(code) for _, _, code in wanted),
    )
    findings = [
        _credentials(sign),
        _sign_finding(sign),
        *_missing(settings.sms_templates, Channel.SMS, "sms_templates"),
        *(_template_finding(language, name, got) for (language, name, _), got in zip(wanted, templates, strict=True)),
    ]
    amount = _amount(balance)
    if amount is not None:
        findings.append(_balance_finding(amount))
    return Health(tuple(findings), amount)


async def voice_health(account: AliyunAccount) -> Health:
    """The record of a call that never was: enough to see whether our signature and rights hold."""
    settings = account.settings
    params = {
        "CallId": _unknown_call,
        "ProdId": _notification,
        "QueryDate": str(int(settings.now().timestamp() * 1_000)),
    }
    got = await account.voice("QueryCallDetailByCallId", params, check_timeout_s)
    unseen = "Alibaba offers no query for voice templates; a self-test call shows them."
    return Health(
        (
            _credentials(got),
            *_missing(settings.voice_templates, Channel.VOICE, "voice_templates"),
            Finding("templates", HealthWord.UNKNOWN, unseen),
            _keys_finding(settings),
        )
    )


def _credentials(got: Got) -> Finding:
    """Any word on the matter itself proves that the signature held."""
    if isinstance(got, Rejected) and got.reason in _account_codes:
        return Finding("credentials", HealthWord.FAULT, f"Alibaba refuses our requests: {got.code}.")
    if isinstance(got, Mapping | Rejected):
        return Finding("credentials", HealthWord.FINE)
    return Finding("credentials", HealthWord.UNKNOWN, f"Alibaba did not answer: {_why(got)}.")


def _sign_finding(got: Got) -> Finding:
    if isinstance(got, Rejected) and got.reason not in _account_codes:
        return Finding("signature", HealthWord.FAULT, "Alibaba has no such signature: correct aliyun.sign_name.")
    if not isinstance(got, Mapping):
        return Finding("signature", HealthWord.UNKNOWN, f"Alibaba did not show it: {_why(got)}.")
    if _state(got, "SignStatus") == approved:
        return Finding("signature", HealthWord.FINE)
    word = _states.get(_state(got, "SignStatus"), "cannot be used")
    return Finding("signature", HealthWord.FAULT, f"The signature {word}: texts are refused until it is approved.")


def _wanted(templates: Templates) -> Iterator[tuple[Language, str, str]]:
    for language, names in templates.items():
        for name, code in names.items():
            yield language, name, code


def _missing(templates: Templates, channel: Channel, setting: str) -> Iterator[Finding]:
    """Our own templates that nobody has given a code, in the languages that are used at all."""
    for language, names in templates.items():
        for name, template in TEMPLATES.items():
            if template.channel is channel and name not in names:
                detail = f"No code is set: register the text, then set aliyun.{setting}.{language.value}.{name}."
                yield Finding(f"template:{name}/{language.value}", HealthWord.FAULT, detail)


def _template_finding(language: Language, name: str, got: Got) -> Finding:
    about = f"template:{name}/{language.value}"
    if name not in TEMPLATES:
        return Finding(about, HealthWord.FAULT, "We have no template of that name: take it out of the settings.")
    if isinstance(got, Rejected) and got.reason not in _account_codes:
        return Finding(about, HealthWord.FAULT, "Alibaba has no template of that code: correct the settings.")
    if not isinstance(got, Mapping):
        return Finding(about, HealthWord.UNKNOWN, f"Alibaba did not show it: {_why(got)}.")
    status = _state(got, "TemplateStatus")
    if status != approved:
        return Finding(about, HealthWord.FAULT, f"Template {name} {_states.get(status, 'cannot be used')}.")
    if hash_of(str(got.get("TemplateContent", ""))) != text_hash(name, language, Style.ALIYUN):
        return Finding(about, HealthWord.FAULT, f"Template {name} was approved with other words: register ours again.")
    return Finding(about, HealthWord.FINE)


def _state(got: Mapping[str, Any], name: str) -> int:
    """-1 for what is no state."""
    value = got.get(name)
    return value if isinstance(value, int) else -1


def _keys_finding(settings: AliyunSettings) -> Finding:
    match settings.voice_keys:
        case VoiceKeys.IVR:
            return Finding("keys", HealthWord.FINE)
        case VoiceKeys.TTS:
            told = "SingleCallByTts is not documented to report keys; a self-test call shows it."
            return Finding("keys", HealthWord.UNKNOWN, told)
    told = "Nobody can answer a call by key: buy a caller number in the voice console and set aliyun.show_number."
    return Finding("keys", HealthWord.UNKNOWN, told)


def _amount(got: Got) -> str | None:
    """Money on the account, as Alibaba writes it; None where the key may not ask."""
    data = got.get("Data") if isinstance(got, Mapping) else None
    amount = data.get("AvailableAmount") if isinstance(data, dict) else None
    if not isinstance(amount, str) or _number(amount) is None:
        return None
    currency = data.get("Currency") if isinstance(data, dict) else None
    return f"{amount} {currency if isinstance(currency, str) else 'CNY'}"


def _number(amount: str) -> float | None:
    try:
        return float(amount.replace(",", ""))
    except ValueError:
        return None


def _balance_finding(amount: str) -> Finding:
    left = _number(amount.split(" ", 1)[0])
    if left is not None and left > 0:
        return Finding("balance", HealthWord.FINE, f"{amount} left.")
    return Finding("balance", HealthWord.FAULT, "The account is empty: with it texts from packages stop too. Pay in.")


def _why(got: Got) -> str:
    match got:
        case Rejected(code=code):
            return code
        case Mapping():
            return "unreadable_answer"
    return getattr(got, "cause", "busy")
