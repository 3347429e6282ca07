"""What a process has in hand: attempts that wait or are on their way, and what is known of each. Never sends."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime

from alerting.channels.base import Accepted, Busy, ChannelProvider, Rejected, Submission, Submitted
from alerting.core.attempts import stale_after_s
from alerting.store.attempts import Claimed
from devices.model import Channel

reached_max = 4096
unsettled_s = 120.0


@dataclass(slots=True)
class Flight:
    """One attempt on its way. `known` is set once it is certain whether the carrier has it."""

    claimed: Claimed
    provider: ChannelProvider
    started: datetime
    known: asyncio.Event = field(default_factory=asyncio.Event)
    answer: Submitted | None = None
    followed: bool = False
    """A further attempt was made while this one went on."""
    followed_later: bool = False
    """It is planned: the phone may ring, and is left alone first."""
    unwanted: bool = False
    """Somebody goes: a call that is accepted now is hung up."""

    @property
    def submission(self) -> Submission:
        return self.claimed.submission

    def answered(self, answer: Submitted) -> None:
        self.answer = answer
        if isinstance(answer, Accepted | Rejected | Busy):
            self.known.set()


class InHand:
    """Attempts that wait or are being submitted here: the sweep leaves them alone."""

    def __init__(self) -> None:
        self._attempts: dict[str, Claimed] = {}
        self._messages: dict[str, list[Claimed]] = {}
        self._newest: dict[tuple[str, str, Channel], Submission] = {}
        """The newest of those by incident, person and channel."""
        self._committed: dict[str, datetime] = {}
        self._unsettled: dict[str, dict[str, tuple[str, datetime]]] = {}
        """By message: attempts of which nobody can say whether they went out, and who was asked."""
        self._urgent: dict[str, Channel] = {}
        """Those of life safety."""
        self._reached: dict[str, None] = {}

    def take(self, claimed: Claimed, committed_at: datetime | None) -> None:
        submission = claimed.submission
        if submission.attempt_id not in self._attempts:
            self._messages.setdefault(submission.notification_id, []).append(claimed)
        self._attempts[submission.attempt_id] = claimed
        if committed_at is not None:
            self._committed[submission.attempt_id] = committed_at
        newest = self._newest.get(_phone(claimed))
        if newest is None or newest.planned_at < submission.planned_at:
            self._newest[_phone(claimed)] = submission

    def forget(self, claimed: Claimed) -> None:
        submission = claimed.submission
        if self._attempts.pop(submission.attempt_id, None) is None:
            return
        self._committed.pop(submission.attempt_id, None)
        left = [each for each in self.of(submission.notification_id) if each.submission is not submission]
        if left:
            self._messages[submission.notification_id] = left
        else:
            self._messages.pop(submission.notification_id, None)
        if self._newest.get(_phone(claimed)) is submission:
            del self._newest[_phone(claimed)]

    def holds(self, attempt_id: str) -> bool:
        return attempt_id in self._attempts

    def of(self, notification_id: str) -> list[Claimed]:
        return self._messages.get(notification_id, [])

    def committed_at(self, attempt_id: str) -> datetime | None:
        """When it was committed, where it was just now."""
        return self._committed.get(attempt_id)

    def is_stale(self, claimed: Claimed, now: datetime) -> bool:
        """It has waited here for a free slot while something newer was given over for the same phone."""
        newest = self._newest.get(_phone(claimed))
        waited = (now - claimed.submission.planned_at).total_seconds()
        same = newest is not None and newest.notification_id == claimed.submission.notification_id
        newer = newest is not None and newest.planned_at > claimed.submission.planned_at
        return newer and not same and waited > stale_after_s

    def unsettled(self, submission: Submission, provider: str, at: datetime) -> None:
        """Nobody can say whether it went out, or nobody can say yet."""
        self._unsettled.setdefault(submission.notification_id, {})[submission.attempt_id] = (provider, at)
        if submission.urgency == 0:
            self._urgent[submission.attempt_id] = submission.channel

    def settled(self, submission: Submission) -> None:
        open_ = self._unsettled.get(submission.notification_id, {})
        open_.pop(submission.attempt_id, None)
        self._urgent.pop(submission.attempt_id, None)
        if not open_:
            self._unsettled.pop(submission.notification_id, None)

    def wonders(self, channel: Channel) -> bool:
        """Is there a message of life safety of which nobody can say yet whether it went out?"""
        return channel in self._urgent.values()

    def is_open(self, submission: Submission) -> bool:
        return submission.attempt_id in self._unsettled.get(submission.notification_id, {})

    def forget_old(self, now: datetime) -> None:
        """Another process has settled these."""
        for open_ in list(self._unsettled.values()):
            for attempt_id, (_, at) in list(open_.items()):
                if abs((now - at).total_seconds()) > unsettled_s and attempt_id not in self._attempts:
                    del open_[attempt_id]
                    self._urgent.pop(attempt_id, None)
        self._unsettled = {key: open_ for key, open_ in self._unsettled.items() if open_}

    def asked(self, claimed: Claimed) -> set[str]:
        """Carriers that other attempts of this message are with, or may be."""
        submission = claimed.submission
        mine = submission.attempt_id
        here = {each.provider for each in self.of(submission.notification_id) if each.submission.attempt_id != mine}
        open_ = self._unsettled.get(submission.notification_id, {})
        return here | {name for attempt_id, (name, _) in open_.items() if attempt_id != mine}

    def next_number(self, claimed: Claimed) -> int:
        """One above every attempt of the message that is known of."""
        known = [each.number for each in self.of(claimed.submission.notification_id)]
        return max([claimed.number, claimed.newest, *known]) + 1

    def first_reached(self, notification_id: str) -> bool:
        """Is this the first acceptance of the message? Asked once for each."""
        if notification_id in self._reached:
            return False
        self._reached[notification_id] = None
        while len(self._reached) > reached_max:
            del self._reached[next(iter(self._reached))]
        return True


def _phone(claimed: Claimed) -> tuple[str, str, Channel]:
    """One person's phone or app, about one incident."""
    submission = claimed.submission
    return submission.incident_id, submission.recipient_id, submission.channel
