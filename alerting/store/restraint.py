"""Rows of restraint: what went out lately, what was folded, when a summary is due, what waits for the morning.

Never decides. Lock order: incidents first, then a summary's row.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, bindparam, case, delete, func, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from alerting.core.attempts import RANK
from alerting.core.decisions import Notify
from alerting.core.model import AttemptState, PlaceText, Purpose
from alerting.core.restraint import Counted, Folded, Recent, SummaryKey
from alerting.store.tables import attempts, incidents, notifications, timeline
from alerting.store.tables_restraint import building_pages, folded_pages, summaries, withheld_pages
from devices.model import Channel
from devices.store.lists import one_of
from devices.store.scope import Scope
from devices.store.tables import places
from devices.taxonomy import SignalClass

_RECENT = select(
    building_pages.c.recipient_id, building_pages.c.building_id, building_pages.c.channel, building_pages.c.code
).where(one_of(building_pages.c.building_id, "buildings"), building_pages.c.at > bindparam("since"))
_PAGES_OF = (
    select(
        notifications.c.recipient_id, notifications.c.incident_id, notifications.c.channel, func.count().label("pages")
    )
    .where(
        one_of(notifications.c.incident_id, "incidents"),
        notifications.c.planned_at > bindparam("since"),
        notifications.c.purpose == Purpose.PAGE.value,
    )
    .group_by(notifications.c.recipient_id, notifications.c.incident_id, notifications.c.channel)
)
_SUMMARY_DUE = select(summaries.c.recipient_id, summaries.c.building_id, summaries.c.channel).where(
    summaries.c.due_at <= bindparam("now")
)
_ANY_SUMMARY_DUE = _SUMMARY_DUE.limit(1)
_WITHHELD_DUE = select(withheld_pages.c.incident_id).where(withheld_pages.c.due_at <= bindparam("now"))
_ANY_WITHHELD_DUE = _WITHHELD_DUE.limit(1)
_DECLINED = select(timeline.c.incident_id, timeline.c.actor).where(
    one_of(timeline.c.incident_id, "incidents"), timeline.c.kind == "note", timeline.c.reason == "declined"
)
_NOT_SENT = (AttemptState.PLANNED.value, AttemptState.BUSY.value)


@dataclass(frozen=True, slots=True)
class FoldRow:
    """One page that joins a summary."""

    id: str
    key: SummaryKey
    folded: Folded
    due_at: datetime


@dataclass(frozen=True, slots=True)
class SummaryRow:
    """Where the summaries to one person about one building stand."""

    key: SummaryKey
    last_at: datetime | None
    last_incident_id: str | None
    last_step: int | None


def recent(conn: Connection, buildings: Collection[str], since: datetime) -> list[Recent]:
    """The pages below life safety about these buildings that went out since then."""
    found = conn.execute(_RECENT, {"buildings": sorted(buildings), "since": since})
    return [Recent(row[0], row[1], Channel(row[2]), row[3]) for row in found]


def pages_of(conn: Connection, incidents: Collection[str], since: datetime) -> dict[tuple[str, str, Channel], int]:
    """(person, incident, channel) -> how many pages went out since then."""
    found = conn.execute(_PAGES_OF, {"incidents": sorted(incidents), "since": since})
    return {(row[0], row[1], Channel(row[2])): row[3] for row in found}


def count(conn: Connection, rows: Sequence[tuple[str, Counted]], at: datetime) -> None:
    """(fresh id, page): remember pages that go out now."""
    if rows:
        values = [
            {
                "id": row_id,
                "building_id": page.building_id,
                "recipient_id": page.recipient_id,
                "channel": page.channel.value,
                "code": page.code,
                "at": at,
            }
            for row_id, page in rows
        ]
        conn.execute(insert(building_pages), values)


def fold(conn: Connection, rows: Sequence[FoldRow]) -> None:
    """Keep folded pages and plan their summaries: at the time asked for, or when a minute has passed since the last."""
    if not rows:
        return
    conn.execute(
        insert(folded_pages),
        [
            {
                "id": row.id,
                "recipient_id": row.key.recipient_id,
                "building_id": row.key.building_id,
                "channel": row.key.channel.value,
                "incident_id": row.folded.incident_id,
                "code": row.folded.code,
                "place_text": _place_values(row.folded.place),
                "at": row.folded.at,
            }
            for row in rows
        ],
    )
    first = {row.key: row for row in reversed(rows)}
    planned = [
        {
            "recipient_id": key.recipient_id,
            "building_id": key.building_id,
            "channel": key.channel.value,
            "due_at": first[key].due_at,
            "planned_at": first[key].folded.at,
        }
        for key in sorted(first)
    ]
    conn.execute(_PLAN[conn.dialect.name], planned)


def _planned(statement: Any) -> Any:
    """The first due time stays; after a recent summary it is when the next one may come."""
    asked = statement.excluded.due_at
    fresh = summaries.c.due_at.is_(None)
    later = case((summaries.c.not_before > asked, summaries.c.not_before), else_=asked)
    values = {
        "due_at": case((fresh, later), else_=summaries.c.due_at),
        "planned_at": case((fresh, statement.excluded.planned_at), else_=summaries.c.planned_at),
    }
    keys = [summaries.c.recipient_id, summaries.c.building_id, summaries.c.channel]
    return statement.on_conflict_do_update(index_elements=keys, set_=values)


_PLAN = {"sqlite": _planned(sqlite.insert(summaries)), "postgresql": _planned(postgresql.insert(summaries))}


def withhold(conn: Connection, rows: Collection[tuple[str, datetime]]) -> None:
    """(incident, until when): one that waits already keeps its time."""
    if rows:
        values = [{"incident_id": incident_id, "due_at": due_at} for incident_id, due_at in rows]
        conn.execute(_WITHHOLD[conn.dialect.name], values)


_WITHHOLD = {
    "sqlite": sqlite.insert(withheld_pages).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(withheld_pages).on_conflict_do_nothing(),
}


def any_due(conn: Connection, now: datetime) -> bool:
    """Is a summary due, or does a withheld page's morning begin?"""
    parameters = {"now": now}
    return (
        conn.execute(_ANY_SUMMARY_DUE, parameters).first() is not None
        or conn.execute(_ANY_WITHHELD_DUE, parameters).first() is not None
    )


def due_keys(conn: Connection, now: datetime, most: int) -> list[SummaryKey]:
    """Summaries whose time has come, the oldest first; not locked."""
    found = conn.execute(_SUMMARY_DUE.order_by(summaries.c.due_at).limit(most), {"now": now})
    return [SummaryKey(row[0], row[1], Channel(row[2])) for row in found]


def incidents_of(conn: Connection, keys: Sequence[SummaryKey]) -> set[str]:
    """The incidents that these summaries will tell of, and those of a last one that may be taken back."""
    same = and_(
        summaries.c.recipient_id == folded_pages.c.recipient_id,
        summaries.c.building_id == folded_pages.c.building_id,
        summaries.c.channel == folded_pages.c.channel,
    )
    open_ = or_(folded_pages.c.told_at.is_(None), folded_pages.c.told_at == summaries.c.last_at)
    found: set[str] = set()
    for key in keys:
        query = select(folded_pages.c.incident_id).join(summaries, same).where(*_of(key), open_).distinct()
        found.update(conn.scalars(query))
    return found


def take(conn: Connection, key: SummaryKey, now: datetime) -> SummaryRow | None:
    """Lock a summary that is still due; None where another process has it, or was faster."""
    query = (
        select(summaries.c.last_at, summaries.c.last_incident_id, summaries.c.last_step)
        .where(*_is(key), summaries.c.due_at <= now)
        .with_for_update(skip_locked=True)
    )
    row = conn.execute(query).one_or_none()
    return None if row is None else SummaryRow(key, row[0], row[1], row[2])


def untold(conn: Connection, key: SummaryKey) -> list[Folded]:
    """Folded pages that no summary has told of, oldest first."""
    columns = (folded_pages.c.incident_id, folded_pages.c.code, folded_pages.c.place_text, folded_pages.c.at)
    query = select(*columns).where(*_untold_of(key)).order_by(folded_pages.c.at, folded_pages.c.id)
    return [Folded(row[0], row[1], PlaceText(**row[2]), row[3]) for row in conn.execute(query)]


def speaking(conn: Connection, building_id: str, cls: SignalClass) -> int:
    """How many devices speak now in the open incidents of this class in a building."""
    path = conn.scalar(select(places.c.path).where(places.c.id == building_id))
    if path is None:
        return 0
    query = (
        select(incidents.c.extent)
        .join(places, places.c.id == incidents.c.place_id)
        .where(incidents.c.closed_at.is_(None), incidents.c.cls == cls.value, Scope((path,)).on_path(places.c.path))
    )
    return len({entry.rpartition("|")[0] for extent in conn.scalars(query) for entry in extent.get("active", ())})


def take_back(conn: Connection, row: SummaryRow) -> bool:
    """The last summary was not sent yet (its provider is silent): it never is; the next one says all of it."""
    if row.last_at is None:
        return False
    last = select(notifications.c.id).where(
        notifications.c.incident_id == row.last_incident_id,
        notifications.c.round == -1,
        notifications.c.step == row.last_step,
        notifications.c.recipient_id == row.key.recipient_id,
        notifications.c.channel == row.key.channel.value,
        notifications.c.purpose == Purpose.SUMMARY.value,
        notifications.c.state.in_((*_NOT_SENT, AttemptState.SENDING.value, AttemptState.UNKNOWN.value)),
    )
    notification_id = conn.scalar(last)
    if notification_id is None:
        return False
    gone = conn.execute(
        update(attempts)
        .where(attempts.c.notification_id == notification_id, attempts.c.state.in_(_NOT_SENT))
        .where(attempts.c.due_at.is_not(None))
        .values(state=AttemptState.CANCELED.value, rank=RANK[AttemptState.CANCELED], due_at=None)
    )
    if not gone.rowcount:
        return False
    again = update(folded_pages).where(*_of(row.key), folded_pages.c.told_at == row.last_at)
    conn.execute(again.values(told_at=None))
    return True


def told(conn: Connection, row: SummaryRow, at: datetime, notice: Notify | None, gap_end: datetime) -> None:
    """All that was folded so far is told now by this summary or, without one, is not worth telling any more."""
    conn.execute(update(folded_pages).where(*_untold_of(row.key)).values(told_at=at))
    values: dict[str, Any] = {"due_at": None}
    if notice is not None:
        last = {"last_at": at, "last_incident_id": notice.incident_id, "last_step": notice.step}
        values |= {"not_before": gap_end, **last}
    conn.execute(update(summaries).where(*_is(row.key)).values(**values))


def declined(conn: Connection, incidents: Collection[str]) -> set[tuple[str, str]]:
    """(incident, who): people who have said that they cannot go."""
    return {(row[0], row[1]) for row in conn.execute(_DECLINED, {"incidents": sorted(incidents)})}


def withheld_ids(conn: Connection, now: datetime, most: int) -> list[str]:
    """Incidents whose SMS and calls waited for the morning; not locked."""
    return list(conn.scalars(_WITHHELD_DUE.order_by(withheld_pages.c.due_at).limit(most), {"now": now}))


def take_withheld(conn: Connection, incident_ids: Collection[str], now: datetime) -> set[str]:
    """Those of them that wait no longer: each is handed out once, to one process."""
    if not incident_ids:
        return set()
    gone = delete(withheld_pages).where(withheld_pages.c.incident_id.in_(incident_ids), withheld_pages.c.due_at <= now)
    return set(conn.scalars(gone.returning(withheld_pages.c.incident_id)))


def forget_before(conn: Connection, before: datetime, most: int) -> int:
    """Delete counted pages and folded pages that are old."""
    gone = 0
    for table in (building_pages, folded_pages):
        ids = list(conn.scalars(select(table.c.id).where(table.c.at < before).limit(most - gone)))
        if ids:
            conn.execute(delete(table).where(table.c.id.in_(ids)))
        gone += len(ids)
    stale = or_(summaries.c.last_at.is_(None), summaries.c.last_at < before)
    if gone == 0:
        conn.execute(delete(summaries).where(summaries.c.due_at.is_(None), stale))
    return gone


def _is(key: SummaryKey) -> tuple[ColumnElement[bool], ...]:
    return (
        summaries.c.recipient_id == key.recipient_id,
        summaries.c.building_id == key.building_id,
        summaries.c.channel == key.channel.value,
    )


def _of(key: SummaryKey) -> tuple[ColumnElement[bool], ...]:
    return (
        folded_pages.c.recipient_id == key.recipient_id,
        folded_pages.c.building_id == key.building_id,
        folded_pages.c.channel == key.channel.value,
    )


def _untold_of(key: SummaryKey) -> tuple[ColumnElement[bool], ...]:
    return (*_of(key), folded_pages.c.told_at.is_(None))


def _place_values(place: PlaceText) -> dict[str, Any]:
    return {
        "zh": place.zh,
        "en": place.en,
        "spoken_zh": place.spoken_zh,
        "spoken_en": place.spoken_en,
        "lat": place.lat,
        "lon": place.lon,
    }
