"""An app message as the work apps show it: its parts, and the few words that cards add. Never sends."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from alerting.channels.base import Submission
from devices.model import Language

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
    def time(self) -> str:
        """Hour and minute, by the deployment's clock."""
        return self.at[_time]

    @property
    def gist(self) -> str:
        """The first sentence: who goes, or that it is over."""
        return _SENTENCE.split(self.body, maxsplit=1)[0][:gist_units_max]


@dataclass(frozen=True, slots=True)
class CardWords:
    """The words that a card adds to the message."""

    source: str
    going: str
    cannot: str
    place: str
    time: str
    reference: str
    map: str
    see: str
    answer: str
    heard: Mapping[str, str]
    """What a pressed button says from then on: it was stored, no more."""


WORDS: Mapping[Language, CardWords] = {
    Language.ZH_CN: CardWords(
        source="更夫",
        going="出发",
        cannot="无法前往",
        place="地点",
        time="时间",
        reference="编号",
        map="地图",
        see="查看",
        answer="打开并答复",
        heard={"1": "已收到：出发", "2": "已收到：无法前往", "3": "已收到"},
    ),
    Language.EN: CardWords(
        source="Gengfu",
        going="Going",
        cannot="Cannot go",
        place="Place",
        time="Time",
        reference="Ref",
        map="Map",
        see="Open",
        answer="Open and answer",
        heard={"1": "Received: going", "2": "Received: cannot", "3": "Received"},
    ),
}


def words_of(language: str) -> CardWords:
    """English where a language has no card words of its own."""
    return WORDS.get(Language(language), WORDS[Language.EN]) if language in list(Language) else WORDS[Language.EN]


def read(submission: Submission) -> AppText | None:
    """The message; None when it is none."""
    try:
        return msgspec.json.decode(submission.text, type=AppText)
    except (msgspec.MsgspecError, ValueError):
        return None


def rows(text: AppText, words: CardWords) -> list[tuple[str, str]]:
    """Place, time and reference, as far as there are any, each with its name."""
    named = ((words.place, text.place), (words.time, text.time), (words.reference, text.reference))
    return [(name, value) for name, value in named if value]
