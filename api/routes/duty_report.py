"""The report on duty: where even standing duty fails in the days ahead, and who cannot be reached for sure.

Computed page by page, a few grids at a time, so that no alarm waits for it.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query, Response
from sqlalchemy import Connection

from alerting.core.readiness import Item, faults, readiness
from api.auth import Caller, GuardedRoute, Who
from api.deps import Deps, Use
from api.pages import Cursor, Limit, answer, cursor_at, limit_default, position
from api.permissions import PREFIX
from api.schemas.duty import DutyReport, GapOut, GridOutlook, NotReady, OutlookTotals, Unverified
from api.store.readiness import Left, facts_of
from devices.duty.gaps import Outlook, outlook
from devices.model import Channel, Placement
from devices.resolve import RegistrySnapshot, place_by_id
from devices.store import duty_report as store
from devices.store import grids
from devices.store import snapshot as snapshots
from devices.store.grids import GridRow

router = APIRouter(prefix=f"{PREFIX}/reports/duty", tags=["reports"], route_class=GuardedRoute)

days_max = 31
grids_per_turn = 5
"""Grids looked at before the loop is given back: some milliseconds."""


@dataclass(frozen=True, slots=True)
class _Page:
    rows: Sequence[GridRow]
    more: bool
    in_scope: int
    snapshot: RegistrySnapshot


@router.get("", response_model=DutyReport)
async def read_report(
    use: Use,
    who: Who,
    days: Annotated[int, Query(ge=1, le=days_max, description="How far to look ahead")] = 7,
    cursor: Cursor = None,
    limit: Limit = limit_default,
) -> Response:
    """Grids in order of ids. A gap: nobody stands, neither as grid worker nor as deputy, standing duty included."""
    since = use.clock.now()
    until = since + timedelta(days=days)
    after = position(cursor)
    page = await use.database.read(lambda conn: _load(conn, who, after, limit, since, until, use.timezone))
    seen: list[Outlook] = []
    for number, row in enumerate(page.rows):
        seen.append(outlook(page.snapshot, _placement(page.snapshot, row), since, until))
        if number % grids_per_turn == 0:
            await asyncio.sleep(0)
    named = {person_id for each in seen for person_id in each.people}
    unproved = await use.database.read(lambda conn: store.unverified(conn, named))
    budget = partial(_budget, use, since)
    facts = await use.database.read(lambda conn: facts_of(conn, named, budget))
    wrong = {each.person_id: faults(readiness(each, use.readiness, since)) for each in facts}
    items = [_item(page.snapshot, *pair, unproved, wrong) for pair in zip(page.rows, seen, strict=True)]
    report = DutyReport(
        from_=since,
        to=until,
        totals=_totals(items, page.in_scope, len(unproved), sum(map(bool, wrong.values()))),
        items=items,
        next=cursor_at(page.rows[-1].id) if page.more else None,
    )
    return answer(report.model_dump(mode="json"))


def _load(
    conn: Connection, who: Caller, after: str | None, limit: int, since: datetime, until: datetime, timezone: str
) -> _Page:
    scope = who.scope(conn)
    found = grids.page(conn, after, limit + 1, within=scope)
    rows = found[:limit]
    loaded = snapshots.load(
        conn,
        (),
        since,
        place_ids=sorted({place_id for row in rows if (place_id := _place_of(row)) is not None}),
        grid_ids=[row.id for row in rows],
        until=until,
        timezone=timezone,
        neighbours=False,
    )
    return _Page(rows, len(found) > limit, store.grids_within(conn, scope), loaded)


def _budget(use: Deps, at: datetime, channel: Channel, address: str) -> Left | None:
    return use.budget(channel, address, at)


def _place_of(row: GridRow) -> str | None:
    return row.community_id or next(iter(row.place_ids), None)


def _placement(snapshot: RegistrySnapshot, row: GridRow) -> Placement:
    return place_by_id(snapshot, _place_of(row) or "", grid_id=row.id) or Placement("", "", (), row.id)


def _item(
    snapshot: RegistrySnapshot,
    row: GridRow,
    seen: Outlook,
    unproved: set[str],
    wrong: Mapping[str, tuple[Item, ...]],
) -> GridOutlook:
    doubtful = [snapshot.people[person_id] for person_id in seen.people if person_id in unproved]
    unready = [snapshot.people[person_id] for person_id in seen.people if wrong.get(person_id)]
    return GridOutlook(
        grid_id=row.id,
        code=row.code,
        name=row.name,
        gaps=len(seen.gaps),
        gap_minutes=sum(round((gap.ends_at - gap.starts_at).total_seconds() / 60) for gap in seen.gaps),
        gap_list=[GapOut(from_=gap.starts_at, to=gap.ends_at) for gap in seen.gaps],
        unverified=len(doubtful),
        unverified_list=[Unverified(id=person.id, name=person.name) for person in doubtful],
        not_ready=len(unready),
        not_ready_list=[
            NotReady(id=person.id, name=person.name, faults=list(dict.fromkeys(each.what for each in wrong[person.id])))
            for person in unready
        ],
    )


def _totals(items: Sequence[GridOutlook], in_scope: int, unproved: int, unready: int) -> OutlookTotals:
    return OutlookTotals(
        grids_in_scope=in_scope,
        grids=len(items),
        grids_with_gaps=sum(item.gaps > 0 for item in items),
        gaps=sum(item.gaps for item in items),
        gap_minutes=sum(item.gap_minutes for item in items),
        people_unverified=unproved,
        people_not_ready=unready,
    )
