"""Marks on contact points: what carriers say of a number, and how far a phone is set up. Never removes a number."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, literal, or_, select, update

from devices.model import Channel
from devices.store.lists import one_of
from devices.store.tables import contact_points
from devices.store.types import Instant

OPTED_OUT = "opted_out"
"""The person told the carrier to send nothing more (STOP): only he can take that back, there."""
reason_chars_max = 64
provider_chars_max = 32


@dataclass(frozen=True, slots=True)
class Marks:
    """All None: nothing is known against the number, and nothing is said of the phone."""

    unreachable_since: datetime | None = None
    unreachable_reason: str | None = None
    unreachable_provider: str | None = None
    whitelisted: Mapping[str, datetime] = field(default_factory=dict)
    """Vendor -> since when its white list has the number."""
    card_saved_at: datetime | None = None
    guide_done_at: datetime | None = None

    @property
    def stopped(self) -> bool:
        """The person has opted out at the carrier."""
        return self.unreachable_since is not None and self.unreachable_reason == OPTED_OUT


UNMARKED = Marks()
_MARKED_OR_NOT = select(contact_points.c.person_id, contact_points.c.channel, contact_points.c.unreachable_since).where(
    one_of(contact_points.c.person_id, "people_ids"), contact_points.c.opted_out_at.is_(None)
)
MARKS = (
    contact_points.c.unreachable_since,
    contact_points.c.unreachable_reason,
    contact_points.c.unreachable_provider,
    contact_points.c.whitelisted,
    contact_points.c.card_saved_at,
    contact_points.c.guide_done_at,
)
"""The columns that `marks_of` reads, in its order."""
REACHED: dict[str, Any] = {"unreachable_since": None, "unreachable_reason": None, "unreachable_provider": None}
"""What a contact point looks like that was just reached."""


def marks_of(
    since: datetime | None,
    reason: str | None,
    provider: str | None,
    whitelisted: Mapping[str, str] | None,
    card_saved_at: datetime | None,
    guide_done_at: datetime | None,
) -> Marks:
    """From the columns of `MARKS`."""
    listed = {vendor: datetime.fromisoformat(at) for vendor, at in (whitelisted or {}).items()}
    return Marks(since, reason, provider, listed, card_saved_at, guide_done_at)


def refuse(
    conn: Connection, channel: Channel, address: str, provider: str, reason: str, now: datetime
) -> list[tuple[str, str]]:
    """A carrier says that this number cannot be reached: everybody's contact point with it is marked. The first word
    stands, with its time, but for an opt-out, which says more. Those newly marked: (contact, person)."""
    said = {"unreachable_reason": reason[:reason_chars_max], "unreachable_provider": provider[:provider_chars_max]}
    query = select(contact_points.c.id, contact_points.c.person_id).where(
        *_at(channel, address),
        contact_points.c.unreachable_since.is_(None) if reason != OPTED_OUT else _not_opted_out(),
    )
    found = [(row[0], row[1]) for row in conn.execute(query.order_by(contact_points.c.id).with_for_update())]
    if found:
        since = func.coalesce(contact_points.c.unreachable_since, literal(now, Instant()))
        mine = contact_points.c.id.in_([contact_id for contact_id, _ in found])
        conn.execute(update(contact_points).where(mine).values(unreachable_since=since, **said))
    return found


def marked(conn: Connection) -> set[tuple[Channel, str]]:
    """Every number that is marked."""
    query = select(contact_points.c.channel, contact_points.c.address)
    return {
        (Channel(row[0]), row[1]) for row in conn.execute(query.where(contact_points.c.unreachable_since.is_not(None)))
    }


def unreachable_of(conn: Connection, people_ids: Collection[str]) -> dict[str, set[Channel]]:
    """Person -> channels of his on which every number in use is marked."""
    found: dict[str, dict[Channel, bool]] = {}
    for person_id, channel, since in conn.execute(_MARKED_OR_NOT, {"people_ids": sorted(people_ids)}):
        channels = found.setdefault(person_id, {})
        channels[Channel(channel)] = channels.get(Channel(channel), True) and since is not None
    return {
        person_id: marked
        for person_id, channels in found.items()
        if (marked := {channel for channel, all_marked in channels.items() if all_marked})
    }


def reached(conn: Connection, channel: Channel, address: str) -> bool:
    """A message or a call came through to this number: no mark stands. True where there was one."""
    marked = (*_at(channel, address), contact_points.c.unreachable_since.is_not(None))
    return conn.execute(update(contact_points).where(*marked).values(**REACHED)).rowcount > 0


def whitelist(conn: Connection, contact_id: str, vendor: str, at: datetime | None) -> bool:
    """The vendor's white list has the number since then; None: it has it not. False for an unknown contact."""
    mine = contact_points.c.id == contact_id
    row = conn.execute(select(contact_points.c.whitelisted).where(mine).with_for_update()).first()
    if row is None:
        return False
    listed = {name: since for name, since in (row[0] or {}).items() if name != vendor}
    if at is not None:
        listed[vendor] = at.isoformat()
    conn.execute(update(contact_points).where(mine).values(whitelisted=listed))
    return True


def card_saved(conn: Connection, person_id: str, at: datetime) -> int:
    """He has our numbers in his phone: of all his telephone numbers. How many he has."""
    return conn.execute(_phones(person_id).values(card_saved_at=at)).rowcount


def guide_done(conn: Connection, person_id: str, at: datetime) -> int:
    """His phone is set up as the guide asks."""
    return conn.execute(_phones(person_id).values(guide_done_at=at)).rowcount


def _not_opted_out() -> ColumnElement[bool]:
    return or_(contact_points.c.unreachable_reason.is_(None), contact_points.c.unreachable_reason != OPTED_OUT)


def _at(channel: Channel, address: str) -> tuple[Any, ...]:
    return (contact_points.c.channel == channel.value, contact_points.c.address == address)


def _phones(person_id: str) -> Any:
    return update(contact_points).where(
        contact_points.c.person_id == person_id, contact_points.c.channel != Channel.APP.value
    )
