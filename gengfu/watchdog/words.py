"""What the administrator on call reads and hears: his language's own section for it, filled in. Never sends."""

from datetime import datetime
from zoneinfo import ZoneInfo

from alerting.core.languages import PACKS
from alerting.core.languages.surfaces import Watching
from devices.model import Language
from gengfu.watchdog.judging import Message


def text_of(message: Message, language: Language, instance: str, zone: ZoneInfo) -> str:
    """The SMS: one part."""
    words = PACKS[language].watching
    since = "" if message.since is None else f"{message.since.astimezone(zone):%H:%M}"
    return words.texts[message.kind].format(instance=instance[:12], since=since, cause=_cause(message, words))


def speech_of(message: Message, language: Language) -> str:
    """What a call says; "" where it is only written."""
    words = PACKS[language].watching
    return words.spoken.get(message.kind, "").format(cause=_cause(message, words))


def _cause(message: Message, words: Watching) -> str:
    if message.cause is None:
        return ""
    named = [words.parts.get(part, part[:12]) for part in message.parts[:2]]
    return words.causes[message.cause].format(parts=words.join.join(named))


def shown_at(at: datetime, zone: ZoneInfo) -> str:
    """For a line of the log."""
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M:%S}"
