"""What is exported and imported into an empty database is exported the same again, whatever names people give."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from devices.bulk.columns import Sheet
from devices.model import COMPOUND_TYPES, POSTS, Committee, DeviceState, Language, PlaceKind
from devices.resolve import GRID_ROLES
from devices.store.tables_devices import device_models
from gengfu.bulk_export import export_to
from gengfu.database import migrate
from tests.contract.bulk_support import MODEL, Bulk, told

pytest_plugins = ["tests.contract.bulk_fixtures"]

NASTY = [
    "=1+1",
    "+86",
    "-1层",
    "@SUM(A1)",
    "'=x",
    "''",
    '"',
    'a"b',
    "a,b;c\td",
    "一\n二",
    "３栋",
    "＝1",
    "/",
    "a/b",
    "\\",
    "0",
    "1e5",
]
names = st.one_of(
    st.sampled_from(NASTY),
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=12),
).map(str.strip)
names = names.filter(lambda name: bool(name) and "\0" not in name)
latin = st.text(st.sampled_from("=+-@'\" ,;abcXYZ019"), max_size=10).map(str.strip)
code = st.from_regex(r"[A-Za-z0-9_.:-]{1,8}", fullmatch=True)
phones = st.one_of(st.just(""), st.integers(0, 99_999_999).map(lambda number: f"+86138{number:08d}"))
degrees = st.floats(-90, 90, allow_nan=False).map(repr)
LEVELS = [kind.value for kind in PlaceKind]


@st.composite
def cities(draw: st.DrawFn) -> dict[Sheet, list[dict[str, Any]]]:
    """Rows of all four sheets that refer to one another."""
    pools = {level: draw(st.lists(names, min_size=1, max_size=2, unique=True)) for level in LEVELS}
    grids = draw(st.lists(code, min_size=1, max_size=3, unique=True))
    place_rows: list[dict[str, Any]] = []
    for index in range(draw(st.integers(1, 8))):
        row: dict[str, Any] = {level: draw(st.sampled_from(["", *pools[level]])) for level in LEVELS[1:]}
        row["city"] = pools["city"][0]
        row["community"] = pools["community"][0]
        row["device"] = draw(st.sampled_from(["", f"dev-{index:04d}", f"-dev_{index:04d}"]))
        if row["device"]:
            row["model"] = draw(st.sampled_from(["", MODEL["code"]]))
            row["kind"] = "smoke_detector"
            row["state"] = draw(st.sampled_from(["", *DeviceState]))
            row["identity"] = f"SN-{index}" if row["model"] and draw(st.booleans()) else ""
        if row["compound"]:
            row["property_company"] = draw(st.sampled_from(["", "=甲物业", "乙物业"]))
            row["compound_type"] = draw(st.sampled_from(["", *COMPOUND_TYPES]))
            row["committee"] = draw(st.sampled_from(["", *Committee]))
        row["grid"] = draw(st.sampled_from(["", *grids]))
        row["name_en"], row["code"] = draw(latin), draw(st.sampled_from(["", f"place-{index}"]))
        if draw(st.booleans()):
            row["lat"], row["lon"] = draw(degrees), draw(degrees)
        place_rows.append(row)
    people = draw(st.lists(code, min_size=1, max_size=3, unique=True))
    return {
        Sheet.PLACES: list(_agreeing(place_rows)),
        Sheet.PEOPLE: [
            {
                "code": each,
                "name": draw(names),
                "name_en": draw(latin),
                "phone": draw(phones),
                "kind": draw(st.sampled_from(["worker", "desk", "volunteer"])),
                "hours": draw(st.sampled_from(["", "19:30-06:00"])),
                "night_calls_consent_at": draw(st.sampled_from(["", "2026-05-01 08:00"])),
            }
            for each in people
        ],
        Sheet.GRIDS: [
            {
                "code": each,
                "name": draw(names),
                "name_en": draw(latin),
                "workers": ";".join(draw(st.lists(st.sampled_from(people), unique=True, max_size=2))),
                "neighbours": ";".join(other for other in grids if other != each and draw(st.booleans())),
                "night": draw(st.sampled_from(["", "22:00-07:00"])),
            }
            for each in grids
        ],
        Sheet.SHIFTS: [draw(shift_rows(people, grids))] if draw(st.booleans()) else [],
    }


@st.composite
def shift_rows(draw: st.DrawFn, people: list[str], grids: list[str]) -> dict[str, Any]:
    role = draw(st.sampled_from(POSTS))
    grid = draw(st.sampled_from(grids)) if role in GRID_ROLES else ""
    planned = (
        {"starts_at": "2026-05-01 08:00", "ends_at": "2026-05-01T20:00:00.000001+08:00"} if draw(st.booleans()) else {}
    )
    return {
        "role": role,
        "person": draw(st.sampled_from(people)),
        "grid": grid,
        "rank": draw(st.integers(0, 9)),
        **planned,
    }


def _agreeing(rows: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """One place has one grid, one compound one description: what contradicts an earlier row is left out."""
    said: dict[tuple[Any, ...], Any] = {}
    for row in rows:
        place = tuple(row[level] for level in LEVELS)
        compound = place[: LEVELS.index("compound") + 1]
        if row["grid"] and said.setdefault(("grid", place), row["grid"]) != row["grid"]:
            row["grid"] = ""
        for column in ("property_company", "compound_type", "committee", "name_en", "code", "lat", "lon"):
            value, whose = row.get(column, ""), place if column in ("name_en", "code", "lat", "lon") else compound
            if value and said.setdefault((column, whose), value) != value:
                row[column] = said[column, whose]
        yield row


def fresh(url: str, folder: Path) -> Bulk:
    """An empty registry on SQLite with a device model."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    path = folder / "fresh.db"
    shutil.copy(url.partition("///")[2], path)
    made = Bulk(f"sqlite+aiosqlite:///{path}", folder)
    made.add(device_models, MODEL)
    return made


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(city=cities())
def test_export_import_export_is_the_same(
    migrated_sqlite_url: str, tmp_path: Path, city: dict[Sheet, list[dict[str, Any]]]
) -> None:
    one = fresh(migrated_sqlite_url, tmp_path / "one")
    report = one.sheets(city)
    assert report.applied, told(report)
    first = one.export()
    again = one.load(*sorted((one.folder / "out").iterdir()))
    assert again.plan.changes == 0, (again.plan.counts, told(again), first)
    two = fresh(migrated_sqlite_url, tmp_path / "two")
    moved = two.load(*sorted((one.folder / "out").iterdir()))
    assert moved.applied, told(moved)
    assert two.export() == first


def example() -> dict[Sheet, list[dict[str, Any]]]:
    here = {"city": "信阳市", "district": "=浉河区", "community": "周家山/社区", "building": "3栋"}
    return {
        Sheet.PLACES: [
            {**here, "room": room, "device": f"smoke-{index:04d}", "kind": "smoke_detector", "grid": "g-1"}
            for index, room in enumerate(("=1+1", "-1", "+2", "@3", "'4", '"5"', "六\n七", "８０１", "1e5"))
        ]
        + [{**here, "building": "4栋", "lat": "32.123456789", "lon": "114.1", "code": "b-4"}],
        Sheet.PEOPLE: [
            {"code": "w-1", "name": "@网格员", "phone": "13800138000", "place": "信阳市/=浉河区/周家山/社区"}
        ],
        Sheet.GRIDS: [{"code": "g-1", "name": "+一网格", "workers": "w-1", "community": "信阳市/=浉河区/周家山/社区"}],
        Sheet.SHIFTS: [{"role": "control_room", "person": "w-1", "place": "b-4"}],
    }


def test_the_same_through_a_workbook_on_both_databases(bulk: Bulk, migrated_sqlite_url: str, tmp_path: Path) -> None:
    report = bulk.sheets(example())
    assert report.applied, told(report)
    path = tmp_path / "registry.xlsx"
    counts = export_to(bulk.url, path, Language.ZH_CN)
    assert counts == {"places": 10, "people": 1, "grids": 1, "shifts": 1}
    assert bulk.load(path).plan.changes == 0
    copy = tmp_path / "copy" / "copy.db"
    copy.parent.mkdir()
    migrate.upgrade(f"sqlite+aiosqlite:///{copy}")
    other = Bulk(f"sqlite+aiosqlite:///{copy}", copy.parent)
    moved = other.load(path)
    assert moved.applied, told(moved)
    assert other.export() == bulk.export()


@pytest.mark.parametrize("sheet", Sheet)
def test_no_cell_of_an_export_is_a_formula(bulk_sqlite: Bulk, sheet: Sheet) -> None:
    bulk_sqlite.sheets(example())
    text = bulk_sqlite.export()[f"{sheet.value}.csv"]
    assert not [cell for line in text.splitlines() for cell in line.split(",") if cell.strip('"')[:1] in tuple("=+-@")]
    if sheet is Sheet.PLACES:
        assert "'=1+1" in text
