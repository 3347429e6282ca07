"""A cheap look at a Tencent Cloud account: are the templates approved, word by word, and the signature; what is left.

Asks only what costs nothing and reaches nobody. Voice can be asked nothing at all: see `voice_health`.
"""

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any

from alerting.channels.base import Busy, Finding, Health, HealthWord, Rejected, Unknown
from alerting.channels.providers.tencent_client import TencentAccount
from alerting.channels.providers.tencent_settings import Templates, TencentSettings
from alerting.core.templates import TEMPLATES, Style, hash_of, text_hash
from devices.model import Channel, Language

check_timeout_s = 4.0
_listed_most = 100
_mainland = 0
_packages_since = "2016010100"
_template_words: Mapping[object, str] = {
    1: "is still being reviewed",
    2: "is approved, but not in force yet",
    -1: "was refused",
}
_missing_codes = ("MissingParameter", "InvalidParameter", "FailedOperation.InvalidParameters")
_account_codes = {"credentials", "permission", "clock", "address_not_allowed", "account_suspended", "balance", "app_id"}


async def sms_health(account: TencentAccount) -> Health:
    """Three questions at once."""
    settings = account.settings
    numbers = [int(number) for _, _, number in _wanted(settings.sms_templates) if number.isdecimal()]
    listed, signs, packages = await asyncio.gather(
        account.sms("DescribeSmsTemplateList", {"International": _mainland, "TemplateIdSet": numbers}, check_timeout_s),
        account.sms(
            "DescribeSmsSignList", {"International": _mainland, "Limit": _listed_most, "Offset": 0}, check_timeout_s
        ),
        account.sms("SmsPackagesStatistics", _packages(settings), check_timeout_s),
    )
    findings = [
        _credentials(signs),
        *_missing(settings.sms_templates, Channel.SMS, "sms_templates"),
        *_template_findings(settings, listed),
        _sign_finding(settings, signs),
    ]
    left = _left(settings, packages)
    if left is not None:
        findings.append(_balance(left))
    return Health(tuple(findings), None if left is None else f"{left} SMS")


async def voice_health(account: TencentAccount) -> Health:
    """No question about voice exists (no templates, no balance, no list of calls): only a call proves it. The key is
    shown by a request for a call to nobody: who may ask is told what is missing, who may not is told that."""
    settings = account.settings
    probe = await account.voice("SendTtsVoice", {"VoiceSdkAppid": settings.voice_app_id}, check_timeout_s)
    budget = Finding("voice budget", HealthWord.FINE)
    if not settings.night_raised:
        budget = Finding(
            "voice budget",
            HealthWord.FAULT,
            "The voice budget is not raised: Tencent lets one call through to a phone between 22:00 and 08:00. Ask for "
            "50 a night in the voice console, then set tencent.voice_windows.",
        )
    told = "Tencent cannot be asked; a self-test call shows it."
    return Health(
        (
            budget,
            *_missing(settings.voice_templates, Channel.VOICE, "voice_templates"),
            _voice_credentials(probe),
            Finding("templates", HealthWord.UNKNOWN, told),
        )
    )


Got = Mapping[str, Any] | Rejected | Busy | Unknown


def _voice_credentials(got: Got) -> Finding:
    if isinstance(got, Rejected) and got.code.startswith(_missing_codes):
        return Finding("credentials", HealthWord.FINE)
    if isinstance(got, Mapping):
        return Finding("credentials", HealthWord.UNKNOWN, "Tencent gave an answer that we do not know.")
    return _credentials(got)


def _credentials(got: Got) -> Finding:
    if isinstance(got, Rejected) and got.reason in _account_codes:
        return Finding("credentials", HealthWord.FAULT, f"Tencent refuses our requests: {got.code}.")
    if isinstance(got, Mapping):
        return Finding("credentials", HealthWord.FINE)
    return Finding("credentials", HealthWord.UNKNOWN, f"Tencent did not answer: {_why(got)}.")


def _wanted(templates: Templates) -> Iterator[tuple[Language, str, str]]:
    for language, names in templates.items():
        for name, number in names.items():
            yield language, name, number


def _missing(templates: Templates, channel: Channel, setting: str) -> Iterator[Finding]:
    """Our own templates that nobody has given a number, in the languages that are used at all."""
    for language, names in templates.items():
        for name, template in TEMPLATES.items():
            if template.channel is channel and name not in names:
                detail = f"No number is set: register the text, then set tencent.{setting}.{language.value}.{name}."
                yield Finding(f"template:{name}/{language.value}", HealthWord.FAULT, detail)
    if not any(templates.values()):
        yield Finding("templates", HealthWord.FAULT, f"None is set: register our texts, then set tencent.{setting}.")


def _template_findings(settings: TencentSettings, got: Got) -> Iterator[Finding]:
    rows = got.get("DescribeTemplateStatusSet") if isinstance(got, Mapping) else None
    known = {str(row.get("TemplateId")): row for row in rows if isinstance(row, dict)} if isinstance(rows, list) else {}
    for language, name, number in _wanted(settings.sms_templates):
        about = f"template:{name}/{language.value}"
        if not isinstance(rows, list):
            yield Finding(about, HealthWord.UNKNOWN, f"Tencent did not list it: {_why(got)}.")
        else:
            yield _template_finding(about, name, language, known.get(number))


def _template_finding(about: str, name: str, language: Language, row: Mapping[str, Any] | None) -> Finding:
    if name not in TEMPLATES:
        return Finding(about, HealthWord.FAULT, "We have no template of that name: take it out of the settings.")
    if row is None:
        return Finding(about, HealthWord.FAULT, "Tencent has no template of that number: correct the settings.")
    status = row.get("StatusCode")
    if status != 0:
        return Finding(about, HealthWord.FAULT, f"Template {name} {_template_words.get(status, 'cannot be used')}.")
    if hash_of(str(row.get("TemplateContent", ""))) != text_hash(name, language, Style.TENCENT):
        return Finding(about, HealthWord.FAULT, f"Template {name} was approved with other words: register ours again.")
    return Finding(about, HealthWord.FINE)


def _sign_finding(settings: TencentSettings, got: Got) -> Finding:
    rows = got.get("DescribeSignListStatusSet") if isinstance(got, Mapping) else None
    if not isinstance(rows, list):
        return Finding("signature", HealthWord.UNKNOWN, f"Tencent did not list it: {_why(got)}.")
    mine = [row for row in rows if isinstance(row, dict) and row.get("SignName") == settings.sms_sign_name]
    if any(row.get("StatusCode") == 0 for row in mine):
        return Finding("signature", HealthWord.FINE)
    if mine:
        return Finding("signature", HealthWord.FAULT, "The signature is not approved: texts are refused until it is.")
    if len(rows) >= _listed_most:
        return Finding("signature", HealthWord.UNKNOWN, "The account has too many signatures to find ours.")
    return Finding("signature", HealthWord.FAULT, "Tencent has no such signature: correct tencent.sms_sign_name.")


def _packages(settings: TencentSettings) -> dict[str, object]:
    until = f"{settings.now():%Y%m%d%H}"
    return {
        "SmsSdkAppId": settings.sms_app_id,
        "Limit": _listed_most,
        "Offset": 0,
        "BeginTime": _packages_since,
        "EndTime": until,
    }


def _left(settings: TencentSettings, got: Got) -> int | None:
    """Texts left in packages that have not run out; None where Tencent lists none: then each text is billed."""
    rows = got.get("SmsPackagesStatisticsSet") if isinstance(got, Mapping) else None
    now = settings.now().timestamp()
    valid = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    figures = [_figures(row) for row in valid]
    left = [amount - used for amount, used, ends in figures if ends > now]
    return sum(left) if left else None


def _figures(row: Mapping[str, Any]) -> tuple[int, int, int]:
    amount, used, ends = (row.get(name) for name in ("PackageAmount", "CurrentUsage", "PackageExpiredTime"))
    numbers = [value if isinstance(value, int) else 0 for value in (amount, used, ends)]
    return numbers[0], numbers[1], numbers[2]


def _balance(left: int) -> Finding:
    if left > 0:
        return Finding("balance", HealthWord.FINE, f"{left} texts left in packages.")
    return Finding("balance", HealthWord.FAULT, "The packages are used up: buy one in the SMS console.")


def _why(got: Got) -> str:
    match got:
        case Rejected(code=code):
            return code
        case Busy():
            return "busy"
        case Unknown(cause=cause):
            return cause
    return "unreadable_answer"
