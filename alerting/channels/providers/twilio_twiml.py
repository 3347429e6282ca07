"""What a call says and listens for, as TwiML documents. Pure; never decides what a key does to an incident."""

from collections.abc import Callable
from enum import StrEnum
from typing import TypeAlias
from xml.sax.saxutils import escape, quoteattr

import msgspec

from alerting.core.household_words import standing_call
from alerting.core.languages import PACKS, known_as
from alerting.core.messages import CallScript

content_type = "text/xml"
twiml_chars_max = 4_000
gather_timeout_s = 6
please_wait_s = 1
retries_max = 3
repeats_max = 2
# XML 1.0 section 2.2 knows no way to write these.
_unwritable = {code: None for code in (*range(0x20), 0xFFFE, 0xFFFF, *range(0xD800, 0xE000)) if code not in (9, 10, 13)}


class KeyResult(StrEnum):
    """What became of a pressed key, and so what is said next."""

    RECORDED = "recorded"
    DECLINED = "declined"
    MISSED = "missed"
    REPEAT = "repeat"


Script: TypeAlias = CallScript


def read_script(text: str) -> Script | None:
    """A submission's text as a script; None when it is not one."""
    try:
        return msgspec.json.decode(text, type=Script)
    except (msgspec.MsgspecError, ValueError):
        return None


def standing_script(language: str | None, *, household: bool = False) -> Script:
    """Words for a call whose own script cannot be had just now (the store is slow). Unknown languages get English."""
    known = known_as(language)
    if household:
        return standing_call(known)
    speech = PACKS[known].words.speech
    recorded = speech.recorded.format(guidance="")
    return Script(known, speech.standing, speech.keys, recorded, speech.declined, speech.missed, speech.wait)


def page(script: Script, action: str) -> str:
    """The call: twice the script, a key stops it. Two Gathers, so that the second hearing needs no answer from us; only
    the second reports that nothing was pressed. Where both do not fit, one."""
    says = _say(script, script.say) + _say(script, script.keys)
    target = quoteattr(action)
    first = _gather(says, target, reports_empty=False)
    second = _gather(says, target, reports_empty=True)
    document = _response(first + second)
    return document if len(document) <= twiml_chars_max else _response(second)


def unacted(digits: str, again: int) -> KeyResult | None:
    """What to say after keys that change nothing; None for 1 (goes) and 2 (cannot), which must be acted on first.

    A wrong key repeats the page once, 3 as often as `repeats_max`. The meaning of a key is fixed for ever.
    """
    if digits in ("1", "2"):
        return None
    if not digits or again >= (repeats_max if digits == "3" else 1):
        return KeyResult.MISSED
    return KeyResult.REPEAT


def spoken_after(result: KeyResult, script: Script, action: str) -> str:
    """The document that answers a key. action: where the next key of a repeated page goes."""
    match result:
        case KeyResult.RECORDED:
            words = script.recorded
        case KeyResult.DECLINED:
            words = script.declined
        case KeyResult.MISSED:
            words = script.missed
        case KeyResult.REPEAT:
            says = _say(script, script.say) + _say(script, script.keys)
            return _response(_gather(says, quoteattr(action), reports_empty=True))
    return _response(_say(script, words) + "<Hangup/>")


def please_wait(script: Script, retry: int, next_url: Callable[[int], str]) -> str:
    """The store is slow: hold the line and come back with the key. next_url: address for a retry number.

    After `retries_max` the person is told the truth: nothing was recorded.
    """
    if retry >= retries_max:
        return spoken_after(KeyResult.MISSED, script, "")
    pause = f'<Pause length="{please_wait_s}"/>'
    return _response(_say(script, script.wait) + pause + f"<Redirect>{escape(next_url(retry + 1))}</Redirect>")


def _gather(says: str, target: str, *, reports_empty: bool) -> str:
    """target: where the key goes, quoted."""
    empty = "true" if reports_empty else "false"
    return (
        f'<Gather input="dtmf" numDigits="1" timeout="{gather_timeout_s}" finishOnKey="" '
        f'actionOnEmptyResult="{empty}" action={target}>'
        f"{says}</Gather>"
    )


def _say(script: Script, words: str) -> str:
    if not words:
        return ""
    written = words if words.isprintable() else words.translate(_unwritable)
    return f'<Say language="{PACKS[script.language].voice}">{escape(written)}</Say>'


def _response(verbs: str) -> str:
    return f"<Response>{verbs}</Response>"
