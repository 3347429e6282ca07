"""The figures of one drill: who was asked and how soon each thing came about. Pure; its numbers meet no real ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from alerting.core.model import Purpose, Reason, Work


@dataclass(frozen=True, slots=True)
class Message:
    """One page on one channel; seconds since the drill began, None: it never came to that."""

    channel: str
    step: int
    state: str
    asked_s: float
    provider_accepted_s: float | None
    delivered_s: float | None
    answered_s: float | None


@dataclass(frozen=True, slots=True)
class Asked:
    """One person who was asked."""

    recipient_id: str
    name: str
    messages: tuple[Message, ...]
    going_s: float | None
    """When he said that he goes."""
    declined_s: float | None

    @property
    def answered(self) -> bool:
        return self.going_s is not None or self.declined_s is not None


@dataclass(frozen=True, slots=True)
class Figures:
    asked: tuple[Asked, ...]
    first_going_s: float | None
    on_site_s: float | None

    @property
    def never_answered(self) -> tuple[Asked, ...]:
        return tuple(each for each in self.asked if not each.answered)


@dataclass(frozen=True, slots=True)
class Sending:
    """One attempt of one message, or a message that was never tried."""

    recipient_id: str
    name: str | None
    channel: str
    purpose: str
    step: int
    state: str
    planned_at: datetime
    provider_accepted_at: datetime | None
    delivered_at: datetime | None
    answered_at: datetime | None


@dataclass(frozen=True, slots=True)
class Deed:
    """What a person did: the timeline's words."""

    at: datetime
    kind: str
    reason: str
    actor: str
    work: str | None


def figures(began: datetime, sent: Sequence[Sending], deeds: Sequence[Deed]) -> Figures:
    """Of everything sent and done in one drill, in order."""
    pages = [each for each in sent if Purpose(each.purpose).asks]
    people = dict.fromkeys(each.recipient_id for each in pages)
    asked = tuple(_asked(began, who, [each for each in pages if each.recipient_id == who], deeds) for who in people)
    return Figures(
        asked=asked,
        first_going_s=_first(began, deeds, Work.TAKEN, Work.ON_SITE),
        on_site_s=_first(began, deeds, Work.ON_SITE),
    )


def _asked(began: datetime, who: str, pages: Sequence[Sending], deeds: Sequence[Deed]) -> Asked:
    own = [deed for deed in deeds if deed.actor == who]
    declined = next((deed.at for deed in own if deed.reason == Reason.DECLINED.value), None)
    return Asked(
        recipient_id=who,
        name=pages[0].name or who,
        messages=tuple(_message(began, each) for each in pages),
        going_s=_first(began, own, Work.TAKEN, Work.ON_SITE),
        declined_s=_since(began, declined),
    )


def _message(began: datetime, each: Sending) -> Message:
    return Message(
        channel=each.channel,
        step=each.step,
        state=each.state,
        asked_s=_since(began, each.planned_at) or 0.0,
        provider_accepted_s=_since(began, each.provider_accepted_at),
        delivered_s=_since(began, each.delivered_at),
        answered_s=_since(began, each.answered_at),
    )


def _first(began: datetime, deeds: Sequence[Deed], *works: Work) -> float | None:
    wanted = {work.value for work in works}
    return _since(began, next((deed.at for deed in deeds if deed.work in wanted), None))


def _since(began: datetime, at: datetime | None) -> float | None:
    return None if at is None else round(max(0.0, (at - began).total_seconds()), 3)
