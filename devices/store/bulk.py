"""Checks bulk files against the registry and stages the plan of an import. Never writes to the registry."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from devices.bulk.columns import Sheet
from devices.bulk.faults import Fault, Faults
from devices.bulk.files import RawSheet, sheets_of
from devices.bulk.heads import Table, recognise
from devices.bulk.values import ShortIds
from devices.store.bulk_devices import find_twice
from devices.store.bulk_gateways import find_gateways
from devices.store.bulk_grids import Grids
from devices.store.bulk_people import People
from devices.store.bulk_places import PlaceRows
from devices.store.bulk_references import Places
from devices.store.bulk_shifts import Shifts
from devices.store.bulk_stage import Stage
from devices.store.bulk_tree import Tree
from devices.store.bulk_work import Work
from devices.store.scope import Scope


@dataclass(frozen=True, slots=True)
class Plan:
    """What an import would do. With faults it does nothing; without changes there is nothing to do."""

    rows: int
    counts: dict[str, dict[str, int]]
    faults: list[Fault]
    faults_total: int
    warnings: list[Fault]
    warnings_total: int

    @property
    def changes(self) -> int:
        return sum(each["create"] + each["change"] for each in self.counts.values())


def open_files(files: Sequence[tuple[Path, str]]) -> list[RawSheet]:
    """The sheets of all files, nothing but their beginnings read. FileRefused."""
    return [sheet for path, name in files for sheet in sheets_of(path, name)]


def plan(
    conn: Connection,
    stage: Stage,
    sheets: Sequence[RawSheet],
    *,
    scope: Scope,
    now: datetime,
    zone: ZoneInfo,
    reserved: frozenset[str] = frozenset(),
    mask: Callable[[str], str] = str,
    progress: Callable[[int], None] = lambda rows: None,
) -> Plan:
    """Read every row and stage what it changes. `progress` is told how many rows were read. FileRefused."""
    faults = Faults()
    tables = [table for sheet in sheets if (table := recognise(sheet, faults)) is not None]
    ids = ShortIds(now)
    work = Work(conn, stage, scope, now, zone, ids, Tree(conn, stage, scope, ids), faults, tables=tables)
    work.progress, work.reserved, work.mask = progress, reserved, mask
    if not faults.total:
        _read(work, tables)
    if not faults.total:
        _count_places(work)
    return Plan(
        work.rows,
        {} if faults.total else work.counts.of,
        faults.in_order(),
        faults.total,
        faults.warnings,
        faults.warnings_total,
    )


def _read(work: Work, tables: Sequence[Table]) -> None:
    """Places first, then people, grids and shifts, whatever the order of the files: each refers to those before it."""
    by_sheet = {sheet: [table for table in tables if table.sheet is sheet] for sheet in Sheet}
    grids = Grids(work)
    for table in by_sheet[Sheet.PLACES]:
        PlaceRows(work, table, grids).read()
    find_twice(work)
    find_gateways(work)
    if by_sheet[Sheet.PEOPLE] or by_sheet[Sheet.GRIDS] or by_sheet[Sheet.SHIFTS]:
        references, people = Places(work), People(work)
        for table in by_sheet[Sheet.PEOPLE]:
            people.read(table, references)
        for table in by_sheet[Sheet.GRIDS]:
            grids.read(table, people, references)
        shifts = Shifts(work, people, grids, references) if by_sheet[Sheet.SHIFTS] else None
        for table in by_sheet[Sheet.SHIFTS]:
            assert shifts is not None
            shifts.read(table)
    grids.finish()


def _count_places(work: Work) -> None:
    for state, number in work.stage.query("SELECT state, count(*) FROM node GROUP BY state"):
        work.counts.add("places", ("create", "same", "change")[state], number)
