"""What is known of how workers can be reached, read for many at once. Decides nothing."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from alerting.core.readiness import Facts, Phone, Point
from alerting.store import readiness as store
from api.store.tables import api_keys, sessions, users
from devices.model import Channel, PersonKind
from devices.store.lists import one_of
from devices.store.marks import MARKS, marks_of
from devices.store.pages import after_id
from devices.store.scope import EVERYTHING, Scope
from devices.store.tables import contact_points, people
from devices.store.tables_duty import grid_members
from devices.store.tables_subscriptions import subscriptions

Left = tuple[tuple[str, int | None], ...]
"""Carrier -> messages that it still takes for a number, None where it sets no limit."""
Budget = Callable[[Channel, str], Left | None]
"""None: not counted by this process."""

_POINTS = (
    select(
        contact_points.c.person_id,
        contact_points.c.channel,
        contact_points.c.address,
        contact_points.c.verified_at,
        contact_points.c.opted_out_at,
        *MARKS,
    )
    .where(one_of(contact_points.c.person_id, "people_ids"))
    .order_by(contact_points.c.id)
)
_LANGUAGES = select(people.c.id, people.c.language).where(one_of(people.c.id, "people_ids"))
_CARRIERS = (
    select(
        subscriptions.c.person_id,
        subscriptions.c.carrier,
        func.max(func.coalesce(subscriptions.c.confirmed_at, subscriptions.c.created_at)),
    )
    .where(one_of(subscriptions.c.person_id, "people_ids"), subscriptions.c.gone_at.is_(None))
    .group_by(subscriptions.c.person_id, subscriptions.c.carrier)
)
_KEYS_USED = (
    select(api_keys.c.person_id, func.max(api_keys.c.last_used_at))
    .where(one_of(api_keys.c.person_id, "people_ids"), api_keys.c.last_used_at.is_not(None))
    .group_by(api_keys.c.person_id)
)
_SIGNED_IN = (
    select(users.c.person_id, func.max(sessions.c.last_seen_at))
    .join(sessions, sessions.c.user_id == users.c.id)
    .where(one_of(users.c.person_id, "people_ids"))
    .group_by(users.c.person_id)
)


def facts_of(
    conn: Connection, people_ids: Iterable[str], budget: Budget = lambda channel, address: None
) -> list[Facts]:
    """Of these people, in this order; who is unknown is left out."""
    wanted = list(people_ids)
    asked = {"people_ids": sorted(set(wanted))}
    languages = {row[0]: row[1] for row in conn.execute(_LANGUAGES, asked)}
    points: dict[str, list[Point]] = {}
    for person_id, *columns in conn.execute(_POINTS, asked):
        points.setdefault(person_id, []).append(_point(columns, budget))
    carriers: dict[str, dict[str, datetime]] = {}
    for person_id, carrier, at in conn.execute(_CARRIERS, asked):
        carriers.setdefault(person_id, {})[carrier] = at
    seen: dict[str, datetime] = {}
    for query in (_KEYS_USED, _SIGNED_IN):
        for person_id, at in conn.execute(query, asked):
            seen[person_id] = max(at, seen.get(person_id, at))
    phones = store.phones_of(conn, asked["people_ids"])
    return [
        _facts(
            each, languages[each], points.get(each, ()), carriers.get(each, {}), seen.get(each), phones.get(each, ())
        )
        for each in wanted
        if each in languages
    ]


def workers_page(
    conn: Connection,
    after: str | None,
    limit: int,
    *,
    now: datetime,
    grid_id: str | None = None,
    under: Scope = EVERYTHING,
    within: Scope = EVERYTHING,
) -> list[tuple[str, str, str]]:
    """(id, code, name) of workers who have not left, in order of ids: of a grid, below a place, or all."""
    query = select(people.c.id, people.c.code, people.c.name).where(
        people.c.kind == PersonKind.WORKER.value,
        people.c.left_at.is_(None) | (people.c.left_at > now),
        within.at_place(people.c.place_id),
        under.at_place(people.c.place_id),
    )
    if grid_id is not None:
        query = query.where(people.c.id.in_(select(grid_members.c.person_id).where(grid_members.c.grid_id == grid_id)))
    return [(row[0], row[1], row[2]) for row in conn.execute(after_id(query, people.c.id, after, limit))]


def _point(columns: Sequence[Any], budget: Budget) -> Point:
    channel, address, verified_at, opted_out_at, *marked = columns
    marks = marks_of(*marked)
    at = Channel(channel)
    return Point(
        channel=at,
        address=address,
        verified_at=verified_at,
        opted_out_at=opted_out_at,
        unreachable_since=marks.unreachable_since,
        unreachable_reason=marks.unreachable_reason or "",
        unreachable_provider=marks.unreachable_provider or "",
        stopped=marks.stopped,
        whitelisted=marks.whitelisted,
        card_saved_at=marks.card_saved_at,
        guide_done_at=marks.guide_done_at,
        budget=None if at is Channel.APP else budget(at, address),
    )


def _facts(
    person_id: str,
    language: str,
    points: Sequence[Point],
    carriers: dict[str, datetime],
    seen: datetime | None,
    phones: tuple[Phone, ...],
) -> Facts:
    return Facts(
        person_id=person_id,
        language=language,
        points=tuple(points),
        carriers=carriers,
        app_seen_at=seen,
        phones=phones,
    )
