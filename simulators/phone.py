"""Virtual phones and the people who hold them: how each reacts, and everything each has received.

Knows no provider and speaks no HTTP: an emulator asks a phone how it behaves and tells it what arrived.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias


class Answers(StrEnum):
    """Who or what takes a call."""

    PERSON = "person"
    VOICEMAIL = "voicemail"  # answers, presses nothing, listens to the end
    NEVER = "never"  # rings out
    BUSY = "busy"
    UNREACHABLE = "unreachable"  # switched off: the network fails the call


class SmsFate(StrEnum):
    """How far a text gets."""

    DELIVERED = "delivered"
    SENT_ONLY = "sent"  # shown on the phone, but the carrier returns no handset receipt
    UNDELIVERED = "undelivered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What a phone and its holder do. Seconds are of the story; the emulator's time scale shortens them.

    keys: pressed in order; each open Gather takes what it can, the rest waits for the next Gather.
    press_after_s: from the first word of the Gather; None = as soon as its words have ended. Earlier than
        that, the key cuts the speech. Later than the Gather's own patience, nothing is pressed.
    reply: text sent back for each SMS shown.
    hangs_up_after_s: patience, from the moment of answering.
    taps: which button of a card is pressed, by its place from 1; None: none. taps_after_s: after it was shown.
    refused_with: provider error code with which requests to this number are refused (21610 opted out,
        21614 not a mobile, 21211 invalid ...).
    call_waiting: False = a second call at the same time finds the line busy.
    """

    answers: Answers = Answers.PERSON
    answers_after_s: float = 2.0
    keys: str = "1"
    press_after_s: float | None = None
    hangs_up_after_s: float = 120.0
    call_waiting: bool = True
    sms: SmsFate = SmsFate.DELIVERED
    sms_error_code: int = 30003
    sms_after_s: float = 0.5
    reply: str | None = None
    reply_after_s: float = 2.0
    refused_with: int | None = None
    taps: int | None = None
    taps_after_s: float = 2.0


class PhoneEventKind(StrEnum):
    """What a bystander beside the phone would see happen."""

    SMS_SHOWN = "sms_shown"
    SMS_REPLIED = "sms_replied"
    RINGING = "ringing"
    ANSWERED = "answered"
    VOICEMAIL = "voicemail"
    HEARD = "heard"
    KEY_PRESSED = "key_pressed"
    CALL_ENDED = "call_ended"  # text = the outcome: completed, no-answer, busy, failed, canceled
    CARD_SHOWN = "card_shown"
    CARD_CHANGED = "card_changed"  # text = what its buttons say now, "" when it was recalled
    BUTTON_PRESSED = "button_pressed"


@dataclass(frozen=True, slots=True)
class PhoneEvent:
    """One thing that happened at one phone. text: words shown or heard, keys pressed, or the outcome."""

    kind: PhoneEventKind
    number: str
    at: datetime
    sid: str
    attempt: str | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class SmsReceived:
    """One text on the phone's screen."""

    sid: str
    to: str
    sender: str
    body: str
    at: datetime
    attempt: str | None = None


@dataclass(frozen=True, slots=True)
class Heard:
    """Words (or the address of a recording) that began `seconds` after the call was answered."""

    seconds: float
    text: str


@dataclass(slots=True)
class CallReceived:
    """One call that reached the phone; `outcome` is empty while it lasts."""

    sid: str
    to: str
    sender: str
    at: datetime
    attempt: str | None = None
    heard: list[Heard] = field(default_factory=list)
    pressed: str = ""
    answered: bool = False
    outcome: str = ""

    def words(self, before_s: float = float("inf")) -> str:
        """Everything that began to be heard before this second of the call."""
        return " ".join(item.text for item in self.heard if item.seconds < before_s)


@dataclass(frozen=True, slots=True)
class CardButton:
    """What can be pressed on a card: it calls back with `key`, or opens `url`."""

    label: str
    key: str = ""
    url: str = ""


@dataclass(slots=True)
class CardReceived:
    """One message of a work app on the screen. said: what stands where its buttons were."""

    ref: str
    to: str
    title: str
    body: str
    at: datetime
    attempt: str | None = None
    rows: tuple[tuple[str, str], ...] = ()
    buttons: tuple[CardButton, ...] = ()
    said: str = ""
    recalled: bool = False
    urgent: bool = False

    def button(self, label: str) -> CardButton:
        """The one with this label, as far as it can still be pressed."""
        if self.recalled or self.said:
            raise ValueError("this card has no buttons any more")
        found = [button for button in self.buttons if button.label == label]
        if not found:
            raise ValueError(f"no button {label!r} on this card")
        return found[0]


@dataclass(frozen=True, slots=True)
class Inbox:
    """What one phone, or all, received."""

    sms: list[SmsReceived]
    calls: list[CallReceived]


Wish: TypeAlias = Callable[["PhoneBook"], bool]


class PhoneBook:
    """Every phone by number; an unknown number has the default behaviour."""

    def __init__(
        self,
        clock: Callable[[], datetime],
        default: Behaviour | None = None,
        on_event: Callable[[PhoneEvent], None] | None = None,
    ) -> None:
        self.clock = clock
        self.default = default or Behaviour()
        self.on_event = on_event
        self.sms: list[SmsReceived] = []
        self.calls: list[CallReceived] = []
        self.cards: list[CardReceived] = []
        self.opted_out: set[str] = set()
        self._first_default = self.default
        self._scripts: dict[str, list[Behaviour]] = {}
        self._lines: Counter[str] = Counter()
        self._waiters: list[tuple[Wish, asyncio.Future[None]]] = []

    def set(self, number: str, *behaviours: Behaviour) -> None:
        """Give a phone its behaviour; several are used up one per call, and the last one stays."""
        if not behaviours:
            raise ValueError("at least one behaviour")
        self._scripts[number] = list(behaviours)

    def behaviour(self, number: str) -> Behaviour:
        """How this phone behaves now."""
        script = self._scripts.get(number)
        return script[0] if script else self.default

    def next_call(self, number: str) -> Behaviour:
        """How this phone behaves for the call that begins now; moves on to the next one scripted."""
        script = self._scripts.get(number)
        if script is None:
            return self.default
        return script.pop(0) if len(script) > 1 else script[0]

    def line_is_busy(self, number: str, behaviour: Behaviour) -> bool:
        """Whether a second call would find the line taken."""
        return not behaviour.call_waiting and self._lines[number] > 0

    def open_line(self, number: str) -> None:
        """A call has begun to ring here."""
        self._lines[number] += 1

    def close_line(self, number: str) -> None:
        """A call that rang here has ended."""
        self._lines[number] -= 1

    def inbox(self, number: str | None = None) -> Inbox:
        """What this phone received; None = all phones together, in order of arrival."""
        if number is None:
            return Inbox(list(self.sms), list(self.calls))
        return Inbox([s for s in self.sms if s.to == number], [c for c in self.calls if c.to == number])

    def reset(self) -> None:
        """Empty inboxes, no scripts, nobody opted out, the default behaviour of the start."""
        self.sms.clear()
        self.calls.clear()
        self.cards.clear()
        self.opted_out.clear()
        self._scripts.clear()
        self._lines.clear()
        self.default = self._first_default

    def show_sms(self, sms: SmsReceived) -> None:
        """A text appears on the screen."""
        self.sms.append(sms)
        self.tell(PhoneEventKind.SMS_SHOWN, sms.to, sms.sid, sms.attempt, sms.body)

    def show_card(self, card: CardReceived) -> None:
        """A card appears on the screen."""
        self.cards.append(card)
        self.tell(PhoneEventKind.CARD_SHOWN, card.to, card.ref, card.attempt, f"{card.title}\n{card.body}")

    def change_card(self, card: CardReceived, *, said: str = "", recalled: bool = False) -> None:
        """Its buttons give way to a line, or it disappears."""
        card.said, card.recalled = said or card.said, recalled or card.recalled
        self.tell(PhoneEventKind.CARD_CHANGED, card.to, card.ref, card.attempt, said)

    def tell(self, kind: PhoneEventKind, number: str, sid: str, attempt: str | None = None, text: str = "") -> None:
        """Report one event to the hook and wake whoever waits for it."""
        if self.on_event is not None:
            self.on_event(PhoneEvent(kind, number, self.clock(), sid, attempt, text))
        if not self._waiters:
            return
        for wish, waiter in self._waiters:
            if not waiter.done() and wish(self):
                waiter.set_result(None)

    async def until(self, wish: Wish, timeout_s: float) -> None:
        """Return once the wish holds; it is asked again after each event. Raises TimeoutError."""
        if wish(self):
            return
        entry = (wish, asyncio.get_running_loop().create_future())
        self._waiters.append(entry)
        try:
            await asyncio.wait_for(entry[1], timeout_s)
        finally:
            self._waiters.remove(entry)
