"""Messages that belong to no incident: codes and test calls for a contact, and why a test failed. Never sends.

Law: no text asks for an act its channel cannot take: a code is told or typed, a call takes a key, a push is tapped.
"""

import msgspec

from alerting.core.languages import PACKS
from alerting.core.messages import CallScript
from alerting.core.templates import Wording
from alerting.core.walk_test import Lack
from devices.model import Language

code_minutes = 10


def code_sms(language: Language, code: str) -> str:
    """One SMS part with the code."""
    return PACKS[language].probing.code_sms.format(code=code, minutes=code_minutes)


def code_wording(code: str) -> Wording:
    """The same for carriers of registered templates."""
    return Wording("sms_code", {"code": code})


def check_wording() -> Wording:
    """The test call's words for carriers of registered templates: they have no values."""
    return Wording("voice_check", {})


def check_call(language: Language) -> str:
    """The script of the test call, as JSON `CallScript`."""
    words = PACKS[language].probing
    script = CallScript(
        language=language,
        say=words.say,
        keys=words.keys,
        recorded=words.recorded,
        declined=words.declined,
        missed=words.missed,
        wait=words.wait,
    )
    return msgspec.json.encode(script).decode()


def push(language: Language) -> tuple[str, str]:
    """Title and body of the message that must be tapped."""
    words = PACKS[language].probing
    return words.push_title, words.push_body


def self_test_words(language: Language) -> tuple[str, str]:
    """Title and body of the daily message that must be tapped."""
    words = PACKS[language].probing
    return words.self_test_title, words.self_test_body


def lack_words(lack: Lack, language: Language) -> str:
    """Why a test of a device has not passed."""
    return PACKS[language].probing.lacks[lack.value]
