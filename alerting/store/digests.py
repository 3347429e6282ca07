"""What waits for work by day: the daily digest's figures and the list of work orders. Never decides."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, func, select
from sqlalchemy.dialects import postgresql, sqlite

from alerting.core.model import PlaceText, Work
from alerting.core.summary_words import DigestLine
from alerting.store.tables import incidents
from alerting.store.tables_restraint import digests
from devices.store.tables import grids
from devices.taxonomy import SignalClass

EVERYWHERE = "*"
"""In place of a grid: the control room's digest."""
_WAITS_FOR_WORK = (SignalClass.T.value, SignalClass.S.value)
_UNDONE = (Work.NEW.value, Work.DISPATCHED.value, Work.TAKEN.value, Work.ON_SITE.value)
_CLAIM = {
    "sqlite": sqlite.insert(digests).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(digests).on_conflict_do_nothing(),
}


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits in one grid, or everywhere."""

    total: int
    kinds: tuple[tuple[str, int], ...]
    oldest: datetime
    lines: tuple[DigestLine, ...]
    incident_id: str
    """Of the first line."""


def pending(conn: Connection, day: str, before: datetime) -> list[str]:
    """Grids with something to do that have had no digest today; first of all the whole."""
    sent = select(digests.c.grid_id).where(digests.c.day == day)
    query = select(incidents.c.grid_id).where(*_todo(before), incidents.c.grid_id.not_in(sent)).distinct()
    found = sorted(conn.scalars(query.where(incidents.c.grid_id.is_not(None))))
    everywhere = conn.scalar(sent.where(digests.c.grid_id == EVERYWHERE)) is None
    return [EVERYWHERE, *found] if everywhere else found


def claim(conn: Connection, day: str, grid_id: str, at: datetime) -> bool:
    """This process sends it; False: it has been sent today."""
    row = {"day": day, "grid_id": grid_id, "at": at, "messages": 0}
    return conn.execute(_CLAIM[conn.dialect.name], row).rowcount == 1


def waiting(conn: Connection, grid_id: str, before: datetime, most: int) -> Waiting | None:
    """None: nothing."""
    where = list(_todo(before))
    if grid_id != EVERYWHERE:
        where.append(incidents.c.grid_id == grid_id)
    count = func.count().label("n")
    kinds = conn.execute(
        select(incidents.c.code, count, func.min(incidents.c.opened_at))
        .where(*where)
        .group_by(incidents.c.code)
        .order_by(count.desc(), incidents.c.code)
    ).all()
    if not kinds:
        return None
    query = select(
        incidents.c.id, incidents.c.code, incidents.c.place_text, incidents.c.opened_at, incidents.c.reference
    )
    rows = conn.execute(
        query.where(*where).order_by(incidents.c.severity, incidents.c.opened_at, incidents.c.id).limit(most)
    ).all()
    lines = tuple(DigestLine(row.code, PlaceText(**row.place_text), row.opened_at, row.reference) for row in rows)
    total = sum(row[1] for row in kinds)
    return Waiting(total, tuple((row[0], row[1]) for row in kinds), min(row[2] for row in kinds), lines, rows[0].id)


def names(conn: Connection, grid_ids: Sequence[str]) -> Mapping[str, tuple[str, str]]:
    """Grid -> its Chinese and its Latin name, by default its code."""
    found = conn.execute(
        select(grids.c.id, grids.c.name, grids.c.name_en, grids.c.code).where(grids.c.id.in_(grid_ids))
    )
    return {row[0]: (row[1], row[2] or row[3]) for row in found}


def _todo(before: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        incidents.c.closed_at.is_(None),
        incidents.c.cls.in_(_WAITS_FOR_WORK),
        incidents.c.work.in_(_UNDONE),
        incidents.c.drill_id.is_(None),
        incidents.c.opened_at < before,
    )
