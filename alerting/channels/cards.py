"""An app message as the work apps show it: its parts, and which words a card adds to them. Never sends."""

import re
from dataclasses import dataclass

import msgspec

from alerting.channels.base import Submission
from alerting.core.languages import PACKS, known_as
from alerting.core.languages.surfaces import Cards
from alerting.core.model import Purpose

_SENTENCE = re.compile(r"[。！？]|[.!?](?=\s|$)")
gist_units_max = 20
"""Of the one line that a button can say instead of its own."""
_time = slice(11, 16)
"""Of `2026-03-04T05:06:07+08:00`."""


@dataclass(frozen=True, slots=True)
class AppText:
    """What is read of a submission's JSON; every other field is the app's own affair."""

    title: str
    body: str
    place: str = ""
    at: str = ""
    reference: str = ""
    map_url: str = ""
    answer_url: str = ""
    """Our answer page for this very message, where there is one."""
    severity: int = 4
    purpose: str = "page"
    actions: tuple[str, ...] = ()

    @property
    def asks(self) -> bool:
        """Somebody is asked to go."""
        return bool(self.actions)

    @property
    def opens(self) -> bool:
        """It has a page to open: to answer, or to tap the daily message."""
        return bool(self.answer_url) and (self.asks or self.purpose == Purpose.TEST)

    @property
    def time(self) -> str:
        """Hour and minute, by the deployment's clock."""
        return self.at[_time]

    @property
    def gist(self) -> str:
        """The first sentence: who goes, or that it is over."""
        return _SENTENCE.split(self.body, maxsplit=1)[0][:gist_units_max]


def words_of(language: str) -> Cards:
    """What a card adds, in its reader's language."""
    return PACKS[known_as(language)].cards


def source_of(language: str) -> str:
    """Whom it says that it is from."""
    return PACKS[known_as(language)].product


def read(submission: Submission) -> AppText | None:
    """The message; None when it is none."""
    try:
        return msgspec.json.decode(submission.text, type=AppText)
    except (msgspec.MsgspecError, ValueError):
        return None


def rows(text: AppText, words: Cards) -> list[tuple[str, str]]:
    """Place, time and reference, as far as there are any, each with its name."""
    named = ((words.place, text.place), (words.time, text.time), (words.reference, text.reference))
    return [(name, value) for name, value in named if value]
