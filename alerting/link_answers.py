"""A worker answers by the link in his message: he sees what and where, and says by one tap whether he goes.

Law: a look changes nothing; whoever holds the link answers as the person it was sent to, and only whether he goes.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Connection

from alerting.answer_links import AnswerLinks, worker_valid_hours
from alerting.answers import Answers
from alerting.core.acts import Verb
from alerting.core.decisions import Refused
from alerting.core.model import Actor, Work
from alerting.ports import Clock, Database
from alerting.repeating import Repeats
from alerting.store import answer_pages
from alerting.store.answer_pages import Asked

VIA = "link"
OVER = (Work.VERIFIED, Work.CLOSED, Work.EVALUATED)
_GOES = (Work.TAKEN, Work.ON_SITE)


class Choice(StrEnum):
    """The three buttons, the same three as the keys of a call."""

    GOING = "going"
    CANNOT = "cannot"
    AGAIN = "again"


class Standing(StrEnum):
    """How it stands for the person who looks."""

    OPEN = "open"
    YOURS = "yours"
    TAKEN = "taken"
    OVER = "over"


class Told(StrEnum):
    """What a tap did."""

    GOING = "going"
    DECLINED = "declined"
    AGAIN = "again"
    NOT_AGAIN = "not_again"
    NOT_NOW = "not_now"
    """It was not done; the page says how it stands."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """What the page shows."""

    asked: Asked
    standing: Standing
    told: Told | None = None


class LinkAnswers:
    def __init__(
        self, *, database: Database, clock: Clock, links: AnswerLinks, answers: Answers, repeats: Repeats
    ) -> None:
        self._database = database
        self._clock = clock
        self._links = links
        self._answers = answers
        self._repeats = repeats

    async def shown(self, token: str) -> Sheet | None:
        """None: nobody's link, or one that is over."""
        asked = await self._asked(token)
        return None if asked is None else Sheet(asked, standing_of(asked))

    async def answered(self, token: str, choice: Choice) -> Sheet | None:
        """One tap, committed when this returns. The same one again changes nothing."""
        asked = await self._asked(token)
        if asked is None:
            return None
        told = await self._carried_out(asked, choice)
        after = await self._asked(token)
        return None if after is None else Sheet(after, standing_of(after), told)

    async def _carried_out(self, asked: Asked, choice: Choice) -> Told:
        if asked.work in OVER:
            return Told.NOT_NOW
        if choice is Choice.AGAIN:
            planned = await self._repeats.again(asked.notification_id, by_call=True)
            return Told.AGAIN if planned else Told.NOT_AGAIN
        actor = Actor(asked.recipient_id, asked.name, VIA, asked.recipient_id)
        verb = Verb.ACCEPT if choice is Choice.GOING else Verb.DECLINE
        done = await self._answers.act_on(asked.notification_id, asked.incident_id, verb, actor)
        if isinstance(done, Refused):
            return Told.NOT_NOW
        return Told.GOING if verb is Verb.ACCEPT else Told.DECLINED

    async def _asked(self, token: str) -> Asked | None:
        notification_id = self._links.notification_of(token)
        if notification_id is None:
            return None
        asked = await self._database.read(lambda conn: _read(conn, notification_id))
        if asked is None or not asked.purpose.asks or self._clock.now() >= ends_at(asked):
            return None
        return asked


def ends_at(asked: Asked) -> datetime:
    return asked.planned_at + timedelta(hours=worker_valid_hours)


def standing_of(asked: Asked) -> Standing:
    if asked.work in OVER:
        return Standing.OVER
    if asked.work in _GOES:
        return Standing.YOURS if asked.taken_by == asked.recipient_id else Standing.TAKEN
    return Standing.OPEN


def _read(conn: Connection, notification_id: str) -> Asked | None:
    return answer_pages.asked(conn, notification_id)
