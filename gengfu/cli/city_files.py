"""A city as the files `gengfu registry import` reads, row by row. Never holds a whole city, never reads one back."""

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from devices.bulk.columns import COLUMNS, Sheet
from gengfu.cli.common import at_terminal
from simulators import city_rows, mission_people, mission_places
from simulators.city import City
from simulators.mission_city import MissionCity
from simulators.mission_people import GridRow, PersonRow, ShiftRow
from simulators.mission_places import PlaceRow

rows_at_once = 2_000
rows_per_file_max = 1_000_000
"""Some 150 MB of places: an import refuses larger files."""


@dataclass(frozen=True, slots=True)
class Table:
    """One file: which sheet, the columns it has, its rows, and how many there will be."""

    sheet: Sheet
    fields: tuple[str, ...]
    rows: Iterable[tuple[str, ...]]
    total: int


def mission_tables(city: MissionCity) -> list[Table]:
    """The mission's city: nothing is made before it is written."""
    people, shifts = mission_people.people_total(city), mission_people.shifts_total(city)
    return [
        Table(Sheet.PLACES, PlaceRow._fields, mission_places.place_rows(city), mission_places.places_total(city)),
        Table(Sheet.PEOPLE, PersonRow._fields, mission_people.people_rows(city), people),
        Table(Sheet.GRIDS, GridRow._fields, mission_people.grid_rows(city), len(city.first_worker) - 1),
        Table(Sheet.SHIFTS, ShiftRow._fields, mission_people.shift_rows(city), shifts),
    ]


def city_tables(city: City) -> list[Table]:
    """A city in memory, such as the demonstration street."""
    return [
        Table(Sheet.PLACES, PlaceRow._fields, city_rows.place_rows_of(city), len(city.places) + len(city.devices)),
        Table(Sheet.PEOPLE, PersonRow._fields, city_rows.person_rows_of(city), len(city.people)),
        Table(Sheet.GRIDS, GridRow._fields, city_rows.grid_rows_of(city), len(city.grids)),
        Table(Sheet.SHIFTS, ShiftRow._fields, city_rows.shift_rows_of(city), len(city.shifts)),
    ]


def write_tables(
    tables: Iterable[Table],
    directory: Path,
    told: Callable[[int], None] = lambda rows: None,
    *,
    per_file: int = rows_per_file_max,
) -> Iterator[tuple[Path, int]]:
    """Write a file per table, or several (`places.csv`, `places-2.csv` ...); yields each with its number of rows.

    `told` hears how many more rows are written. UTF-8 with a byte-order mark, so that spreadsheet programs read the
    names. Parents stand before children, also from file to file.
    """
    directory.mkdir(parents=True, exist_ok=True)
    for table in tables:
        rows, part, written = iter(table.rows), 0, 0
        while part == 0 or written < table.total:
            part += 1
            file = directory / f"{table.sheet.value}{'' if part == 1 else f'-{part}'}.csv"
            count = _write(file, table, islice(rows, per_file), told)
            assert count or not table.total, f"{table.sheet} has {written} rows, not {table.total}"
            written += count
            yield file, count
        assert next(rows, None) is None, f"{table.sheet} has more than {table.total} rows"
        _remove_further_parts(directory, table.sheet, part)


def _write(file: Path, table: Table, rows: Iterator[tuple[str, ...]], told: Callable[[int], None]) -> int:
    zh = {column.name: column.zh for column in COLUMNS[table.sheet]}
    written = 0
    with file.open("w", encoding="utf-8-sig", newline="") as opened:
        writer = csv.writer(opened)
        writer.writerow([zh[field] for field in table.fields])
        while portion := list(islice(rows, rows_at_once)):
            writer.writerows(portion)
            written += len(portion)
            told(len(portion))
    return written


def _remove_further_parts(directory: Path, sheet: Sheet, part: int) -> None:
    """Those of a larger city that was written here before: an import of the folder would read them too."""
    while (file := directory / f"{sheet.value}-{(part := part + 1)}.csv").exists():
        file.unlink()


def write_with_progress(tables: Sequence[Table], directory: Path) -> Iterator[tuple[Path, int]]:
    """The same; at a terminal with a bar on stderr."""
    if not at_terminal():
        yield from write_tables(tables, directory)
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("rows", total=sum(table.total for table in tables))
        yield from write_tables(tables, directory, lambda rows: bar.advance(task, rows))
