"""What a language must bring beside its messages: cards, pages, chats, the contact card, guides, the watchdog's own.

Data shapes only, one for each place where words are shown; as in `base`, no field has a default.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cards:
    """What a card in a work app adds to the message."""

    going: str
    cannot: str
    """The two buttons."""
    place: str
    time: str
    reference: str
    map: str
    see: str
    """Opens the map."""
    answer: str
    """Opens the answer page, where no button of ours is heard."""
    heard: Mapping[str, str]
    """By digit: what a pressed button says from then on. It was stored, no more."""


@dataclass(frozen=True, slots=True)
class WorkerPage:
    """A worker's answer page."""

    when: str
    reference: str
    map: str
    choices: Mapping[str, str]
    """The buttons, by `link_answers.Choice`."""
    standings: Mapping[str, str]
    """How it stands, by `link_answers.Standing`; `{name}`: who goes."""
    told: Mapping[str, str]
    """What the tap did, by `link_answers.Told`; that he goes, `standings` says."""
    choose: str
    """A form came that chose nothing."""


@dataclass(frozen=True, slots=True)
class RatingPage:
    """A household says whether it was satisfied."""

    title: str
    question: str
    satisfied: str
    not_satisfied: str
    thanks: str
    gone: str
    """Nobody's link, or one that is over; a worker's as well."""


@dataclass(frozen=True, slots=True)
class Chat:
    """What "also tell" lists read: one line of `{label}`, `{place}`, `{time}`, `{reference}`, `{who}`."""

    opened: str
    taken: str
    closed: str


@dataclass(frozen=True, slots=True)
class Contact:
    """The contact card. One line of a vCard each: 75 octets with what stands before it."""

    name: str
    note: str


@dataclass(frozen=True, slots=True)
class PhoneGuide:
    """What differs from one brand to the next: each is one step."""

    name: str
    repeat: str
    """Lets a second call from one number ring through do-not-disturb."""
    unblock: str
    """Keeps our calls out of its filter."""
    awake: str
    """Keeps the app alive in the background."""


@dataclass(frozen=True, slots=True)
class Guides:
    """How a phone is set up so that our calls ring at night. Menus move from one version to the next: each step names
    what to look for, and the note says so."""

    note: str
    save: str
    """The contact card."""
    notify: str
    try_out: str
    brands: Mapping[str, PhoneGuide]
    """The same brands in the same order in every language."""


@dataclass(frozen=True, slots=True)
class Watching:
    """What the administrator on call reads and hears from the watchdog, by the names of its `Kind` and `Cause`."""

    parts: Mapping[str, str]
    """Of a service that is not ready."""
    join: str
    """Between two of them."""
    causes: Mapping[str, str]
    """`{parts}`."""
    texts: Mapping[str, str]
    """`{instance}`, `{since}`, `{cause}`: one SMS part."""
    spoken: Mapping[str, str]
    """`{cause}`. Without an entry there is no call."""
