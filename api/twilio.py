"""Twilio's callbacks as `api.deps.ProviderCallbacks`: signature check, addresses, TwiML. Never a rule of its own."""

from collections.abc import Mapping

from alerting.channels.base import Spoken
from alerting.channels.providers import twilio_callbacks
from alerting.channels.providers import twilio_twiml as twiml
from alerting.channels.providers.twilio_callbacks import CallbackUrls, SignatureCheck, callback_key, pressed
from alerting.channels.providers.twilio_settings import TwilioSettings
from alerting.channels.providers.twilio_twiml import KeyResult, Script
from alerting.core.acts import KeyOutcome
from devices.model import Language

signature_header = "x-twilio-signature"
signature_settings_header = "x-twilio-webhooks-signature-settings"
_count_digits_max = 2

_RESULTS: Mapping[KeyOutcome, KeyResult] = {
    KeyOutcome.TAKEN: KeyResult.RECORDED,
    KeyOutcome.ALREADY_TAKEN: KeyResult.DECLINED,  # somebody goes already: `passed on, thank you` is the truth
    KeyOutcome.DECLINED: KeyResult.DECLINED,
    KeyOutcome.HOUSEHOLD_FIRE: KeyResult.RECORDED,
    KeyOutcome.HOUSEHOLD_NO_FIRE: KeyResult.DECLINED,
    KeyOutcome.REPEAT: KeyResult.REPEAT,
    KeyOutcome.UNKNOWN: KeyResult.MISSED,
}


class TwilioCallbacks:
    """One account's callbacks."""

    def __init__(self, settings: TwilioSettings) -> None:
        self._signatures = SignatureCheck(settings)
        self._urls = CallbackUrls(settings.public_url)

    def verify(self, path_and_query: str, form: Mapping[str, str], headers: Mapping[str, str]) -> bool:
        signature, settings = headers.get(signature_header, ""), headers.get(signature_settings_header, "")
        return self._signatures.holds(path_and_query, form, signature, settings)

    def dedupe(self, kind: str, fields: Mapping[str, str]) -> str:
        return callback_key(kind, fields)

    def key(self, fields: Mapping[str, str]) -> str:
        digits = pressed(fields)
        return digits if twiml.unacted(digits, _count(fields, "again")) is None else ""

    def after_key(self, fields: Mapping[str, str], script: str | None, outcome: KeyOutcome | None) -> Spoken:
        again = _count(fields, "again")
        result = twiml.unacted(pressed(fields), again) if outcome is None else _RESULTS[outcome]
        words = _words(fields, script)
        attempt = fields.get("attempt", "")
        action = self._urls.voice(attempt, words.language, again=again + 1, household=words.household)
        return _spoken(twiml.spoken_after(result or KeyResult.MISSED, words, action))

    def please_wait(self, fields: Mapping[str, str], script: str | None) -> Spoken:
        words, digits = _words(fields, script), pressed(fields)

        def following(retry: int) -> str:
            attempt, again = fields.get("attempt", ""), _count(fields, "again")
            return self._urls.voice(
                attempt, words.language, again=again, digits=digits, retry=retry, household=words.household
            )

        return _spoken(twiml.please_wait(words, _count(fields, "retry"), following))

    def nothing_to_say(self, kind: str) -> Spoken | None:
        return _spoken("<Response/>") if kind == "inbound" else None


def _words(fields: Mapping[str, str], script: str | None) -> Script:
    own = None if script is None else twiml.read_script(script)
    household = fields.get("who") == twilio_callbacks.who_household
    return own or twiml.standing_script(fields.get("lang", Language.ZH_CN), household=household)


def _spoken(document: str) -> Spoken:
    return Spoken(twiml.content_type, document)


def _count(fields: Mapping[str, str], name: str) -> int:
    text = fields.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _count_digits_max else 0
