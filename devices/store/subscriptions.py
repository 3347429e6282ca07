"""Queries on where app carriers find people. Decides nothing but how many of them a person may keep."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, func, insert, or_, select, update

from devices.model import AppCarrier
from devices.store.pages import after_id
from devices.store.tables_subscriptions import subscriptions

live_page_rows = 500
key_changed = "key_changed"
"""Why a browser is gone that subscribed with another key than ours: the key may come back, and with it the browser."""
push_per_person_max = 8
"""Browsers of one person; one more, and the one that was heard of longest ago makes room."""
Target = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SubscriptionRow:
    """One browser, or one user of a work app. Gone: kept to be seen, never used."""

    id: str
    person_id: str
    carrier: AppCarrier
    target: Target = field(repr=False)
    label: str
    created_at: datetime
    """Or renewed."""
    confirmed_at: datetime | None = None
    last_sent_at: datetime | None = None
    gone_at: datetime | None = None
    gone_reason: str | None = None

    @property
    def digest(self) -> str:
        """The same for the same browser or user."""
        where = self.target["endpoint" if self.carrier is AppCarrier.WEBPUSH else "user_id"]
        return hashlib.sha256(f"{self.carrier.value} {where}".encode()).hexdigest()


_t = subscriptions.c
_SELECT = select(
    _t.id,
    _t.person_id,
    _t.carrier,
    _t.target,
    _t.label,
    _t.created_at,
    _t.confirmed_at,
    _t.last_sent_at,
    _t.gone_at,
    _t.gone_reason,
)
_LIVE = or_(_t.gone_at.is_(None), _t.gone_reason == key_changed)
_STATE = select(func.count(), func.max(_t.created_at)).where(_LIVE)
_SENT = (
    update(subscriptions)
    .where(_t.id == bindparam("key"), or_(_t.last_sent_at.is_(None), _t.last_sent_at < bindparam("at")))
    .values(last_sent_at=bindparam("at"), gone_at=None, gone_reason=None)
)
_CONFIRMED = (
    update(subscriptions)
    .where(_t.id == bindparam("key"), _t.person_id == bindparam("who"))
    .values(confirmed_at=bindparam("at"))
)
_GONE = (
    update(subscriptions)
    .where(_t.id == bindparam("key"), _t.gone_at.is_(None))
    .values(gone_at=bindparam("at"), gone_reason=bindparam("reason"))
)


def of_person(conn: Connection, person_id: str) -> list[SubscriptionRow]:
    """All of them, those that are gone too, the oldest first."""
    return [_row(row) for row in conn.execute(_SELECT.where(_t.person_id == person_id).order_by(_t.id))]


def live_page(conn: Connection, after: str | None, limit: int = live_page_rows) -> list[SubscriptionRow]:
    """Those to which a message can go, in order of ids."""
    live = after_id(_SELECT.where(_LIVE), _t.id, after, limit)
    return [_row(row) for row in conn.execute(live)]


def state(conn: Connection) -> tuple[int, datetime | None]:
    """Another value whenever one came, was renewed, went or is gone."""
    count, newest = conn.execute(_STATE).one()
    return count, newest


def one(conn: Connection, person_id: str, subscription_id: str) -> SubscriptionRow | None:
    """None when the person has no such."""
    mine = (_t.id == subscription_id, _t.person_id == person_id)
    row = conn.execute(_SELECT.where(*mine)).first()
    return None if row is None else _row(row)


def add_or_renew(conn: Connection, row: SubscriptionRow) -> tuple[SubscriptionRow, list[SubscriptionRow]]:
    """The row as it stands now, and those that had to go for it.

    The same browser or user again keeps its id and lives again. A browser belongs to whoever subscribed in it last; a
    person has one user of each work app and at most `push_per_person_max` browsers.
    """
    same = conn.execute(_SELECT.where(_t.carrier == row.carrier.value, _t.digest == row.digest)).fetchall()
    known = [_row(each) for each in same]
    mine = next((each for each in known if each.person_id == row.person_id), None)
    others = [each for each in known if each.person_id != row.person_id and row.carrier is AppCarrier.WEBPUSH]
    room = [] if mine is not None else _make_room(conn, row)
    for each in (*others, *room):
        remove(conn, each.person_id, each.id)
    if mine is None:
        conn.execute(insert(subscriptions).values(id=row.id, digest=row.digest, **_values(row)))
        return row, [*others, *room]
    renewed = SubscriptionRow(
        mine.id, mine.person_id, mine.carrier, row.target, row.label, row.created_at, mine.confirmed_at
    )
    values = _values(renewed) | {"last_sent_at": mine.last_sent_at}
    conn.execute(update(subscriptions).where(_t.id == mine.id).values(**values))
    return renewed, others


def remove(conn: Connection, person_id: str, subscription_id: str) -> bool:
    """False when the person has no such."""
    mine = (_t.id == subscription_id, _t.person_id == person_id)
    return conn.execute(delete(subscriptions).where(*mine)).rowcount == 1


def note_sent(conn: Connection, ids: Iterable[str], now: datetime) -> None:
    """Messages were taken there: so it is not gone."""
    values = [{"key": each, "at": now} for each in sorted(ids)]
    if values:
        conn.execute(_SENT, values)


def note_confirmed(conn: Connection, pairs: Iterable[tuple[str, str]], now: datetime) -> None:
    """A message was seen or tapped there: (subscription, person). Of somebody else's it says nothing."""
    values = [{"key": each, "who": who, "at": now} for each, who in sorted(pairs)]
    if values:
        conn.execute(_CONFIRMED, values)


def note_gone(conn: Connection, reasons: Mapping[str, str], now: datetime) -> None:
    """Its carrier knows it no longer; the first reason stays."""
    values = [{"key": each, "at": now, "reason": reason} for each, reason in sorted(reasons.items())]
    if values:
        conn.execute(_GONE, values)


def forget_before(conn: Connection, before: datetime, limit: int) -> int:
    """Drop at most so many of those that have been gone since before then; how many."""
    old = select(_t.id).where(_t.gone_at < before).limit(limit)
    return conn.execute(delete(subscriptions).where(_t.id.in_(old))).rowcount


def _make_room(conn: Connection, row: SubscriptionRow) -> list[SubscriptionRow]:
    kept = 1 if row.carrier is not AppCarrier.WEBPUSH else push_per_person_max
    theirs = [each for each in of_person(conn, row.person_id) if each.carrier is row.carrier]
    theirs.sort(key=lambda each: (each.gone_at is None, each.confirmed_at or each.created_at))
    return theirs[: max(0, len(theirs) - kept + 1)]


def _values(row: SubscriptionRow) -> dict[str, Any]:
    return {
        "person_id": row.person_id,
        "carrier": row.carrier.value,
        "target": dict(row.target),
        "label": row.label,
        "created_at": row.created_at,
        "confirmed_at": row.confirmed_at,
        "last_sent_at": row.last_sent_at,
        "gone_at": row.gone_at,
        "gone_reason": row.gone_reason,
    }


def _row(row: Row[*tuple[Any, ...]]) -> SubscriptionRow:
    return SubscriptionRow(row[0], row[1], AppCarrier(row[2]), *row[3:])
