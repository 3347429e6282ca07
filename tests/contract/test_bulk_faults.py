"""What bad rows get: each named with its cell, the reason and what was probably meant; and nothing changes."""

import csv
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from devices.bulk.columns import Sheet, headers
from devices.model import Language, PlaceKind
from devices.store.tables import devices, grids, people, places, shifts
from devices.store.tables_devices import device_identities, device_models
from tests.contract.bulk_support import MODEL, Bulk, Row, codes, told

pytest_plugins = ["tests.contract.bulk_fixtures"]

HERE = {"city": "信阳市", "district": "浉河区", "street": "五星街道", "community": "周家山社区"}
HEAD = ["city", "district", "street", "community", "building", "room", "grid", "device", "model", "lat", "lon", "state"]
faults_planted = 300

FAULTY: tuple[tuple[str, str, str], ...] = (
    ("device", "bad id", "bad_device"),
    ("model", "nb-smok-1", "unknown_model"),
    ("lat", "95.0", "coordinates"),
    ("lon", "east", "coordinates"),
    ("state", "instaled", "unknown_value"),
    ("room", "字" * 65, "too_long"),
    ("grid", "网格一", "bad_code"),
    ("device", "smoke-0000000", "device_twice"),
)


def plant(path: Path, rows: int, planted: int) -> list[tuple[str, str]]:
    """A file of good rows with so many bad ones among them; (cell, code) of each."""
    dice = random.Random(3)
    bad = {row: FAULTY[index % len(FAULTY)] for index, row in enumerate(sorted(dice.sample(range(3, rows), planted)))}
    expected = []
    with path.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.writer(opened)
        writer.writerow(HEAD)
        for index in range(rows):
            building = index // 50
            values = [*HERE.values(), f"{building}栋", f"{index % 50}室", f"g-{building // 20}"]
            values += [f"smoke-{index:07d}", "nb-smoke-1", "32.1", "114.0", "installed"]
            if index in bad:
                column, value, code = bad[index]
                values[HEAD.index(column)] = value
                expected.append((f"{chr(65 + HEAD.index(column))}{index + 2}", code))
            writer.writerow(values)
    return expected


def check(bulk: Bulk, rows: int) -> None:
    bulk.add(device_models, MODEL)
    path = bulk.folder / "places.csv"
    expected = plant(path, rows, faults_planted)
    report = bulk.load(path)
    assert report.plan.faults_total == faults_planted
    assert sorted(codes(report)) == sorted(expected)
    found = told(report)
    assert {suggestion for _, code, suggestion in found if code == "unknown_model"} == {"Did you mean nb-smoke-1?"}
    assert {suggestion for _, code, suggestion in found if code == "unknown_value"} == {"Did you mean installed?"}
    assert all(suggestion for _, _, suggestion in found)
    assert all(suggestion for _, _, suggestion in told(report, Language.ZH_CN))
    for table in (places, grids, devices, device_identities.c.device_id.table):
        assert bulk.rows(table, *[table.primary_key.columns.keys()[0]]) == []


def test_300_faults_in_100_000_rows_are_all_listed_and_nothing_changes(bulk_sqlite: Bulk) -> None:
    check(bulk_sqlite, 100_000)


def test_the_same_on_both_databases_in_a_smaller_file(bulk: Bulk) -> None:
    check(bulk, 5_000)


def faulty_rows() -> Iterator[tuple[Sheet, Row, str, str, str]]:
    """(sheet, row, column at fault, code, suggestion or part of it)."""
    person = {"code": "w-9", "name": "网格员甲"}
    yield Sheet.PEOPLE, {**person, "phone": "1380013"}, "phone", "bad_phone", "13800138000"
    yield Sheet.PEOPLE, {**person, "kind": "volunter"}, "kind", "unknown_value", "volunteer"
    yield Sheet.PEOPLE, {**person, "kind": "household"}, "kind", "household", "consent"
    yield Sheet.PEOPLE, {**person, "place": "zsj"}, "place", "unknown_place", "zjs"
    yield Sheet.PEOPLE, {**person, "channels": "sms"}, "channels", "phone_missing", "phone"
    yield Sheet.PEOPLE, {**person, "channels": "fax"}, "channels", "unknown_value", "sms"
    yield Sheet.PEOPLE, {**person, "left_at": "yesterday"}, "left_at", "bad_time", "2026-05-01"
    yield Sheet.PEOPLE, {**person, "language": "fr"}, "language", "unknown_value", "zh-CN"
    yield Sheet.PEOPLE, {**person, "code": "编码"}, "code", "bad_code", "letters"
    yield Sheet.PEOPLE, {**person, "name_en": "网格"}, "name_en", "not_ascii", "letters"
    yield Sheet.PEOPLE, {**person, "hours": "evenings"}, "hours", "bad_hours", "19:30-06:00"
    yield Sheet.PEOPLE, {**person, "phone": "138****8000"}, "phone", "masked_phone", "whole number"
    yield Sheet.PEOPLE, {**person, "night_calls_consent_at": "yes"}, "night_calls_consent_at", "bad_time", "2026-05-01"
    shift = {"role": "grid_worker", "person": "w-1", "grid": "g-1"}
    yield Sheet.SHIFTS, {**shift, "person": "w-11"}, "person", "unknown_person", "w-1"
    yield Sheet.SHIFTS, {**shift, "grid": "g-11"}, "grid", "unknown_grid", "g-1"
    yield Sheet.SHIFTS, {**shift, "role": "grid worker"}, "role", "unknown_value", "grid_worker"
    yield Sheet.SHIFTS, {**shift, "grid": "", "place": "zjs"}, "place", "role_takes_grid", "grid"
    yield Sheet.SHIFTS, {**shift, "role": "street_duty"}, "grid", "role_takes_place", "place"
    yield Sheet.SHIFTS, {**shift, "place": "zjs"}, "place", "one_place", "Empty"
    backwards = {"starts_at": "2026-05-02 08:00", "ends_at": "2026-05-01 08:00"}
    yield Sheet.SHIFTS, {**shift, **backwards}, "ends_at", "period", "Check"
    yield Sheet.SHIFTS, {**shift, "rank": "first"}, "rank", "bad_number", "Correct"
    grid = {"code": "g-1"}
    yield Sheet.GRIDS, {**grid, "night": "22-7"}, "night", "bad_night", "22:00-07:00"
    yield Sheet.GRIDS, {**grid, "workers": "w-1;w-2x"}, "workers", "unknown_person", "w-2"
    yield Sheet.GRIDS, {**grid, "workers": "w-1;w-1"}, "workers", "twice_in_cell", "Remove"
    yield Sheet.GRIDS, {**grid, "neighbours": "g-1"}, "neighbours", "own_neighbour", "Remove"
    yield Sheet.GRIDS, {**grid, "neighbours": "g-22"}, "neighbours", "unknown_grid", "g-2"
    yield Sheet.GRIDS, {**grid, "community": "没有社区"}, "community", "unknown_place", "code"
    room = {**HERE, "building": "3栋", "room": "301"}
    yield Sheet.PLACES, {**room, "device": "smoke-0302"}, "device", "kind_missing", "smoke_detector"
    yield Sheet.PLACES, {**room, "device": "smoke-0302", "kind": "Rauchmelder!"}, "kind", "bad_kind", "smoke_detector"
    yield Sheet.PLACES, {**room, "model": "nb-smoke-1"}, "model", "device_missing", "device"
    scanned = {**room, "device": "smoke-0302", "model": "nb-smoke-1"}
    yield Sheet.PLACES, {**scanned, "identity": "356938035643808"}, "identity", "bad_imei", "label"
    yield Sheet.PLACES, {**scanned, "identity": "SN-1"}, "identity", "identity_taken", "labels"
    kind = {**room, "device": "smoke-0302", "kind": "camera"}
    yield Sheet.PLACES, {**kind, "identity": "SN-2"}, "identity", "identity_needs_model", "model"
    yield Sheet.PLACES, {**HERE, "building": "5栋", "code": "zjs"}, "code", "code_taken", "registered"
    yield Sheet.PLACES, {**room, "code": "编码"}, "code", "bad_code", "letters"
    yield Sheet.PLACES, {**room, "lat": "32.1"}, "lat", "coordinates", "both"
    yield Sheet.PLACES, {**room, "name_en": "x" * 33}, "name_en", "too_long", "Shorten"
    yield Sheet.PLACES, {**room, "committee": "业委会"}, "committee", "compound_missing", "compound"
    compound = {**HERE, "compound": "阳光花园"}
    yield Sheet.PLACES, {**compound, "committee": "owner"}, "committee", "unknown_value", "owners"
    yield Sheet.PLACES, {**compound, "compound_type": "商品"}, "compound_type", "unknown_value", "商品房"
    yield Sheet.PLACES, {"lat": "32.1", "lon": "114", "city": ""}, "", "no_place", "level"


def headers_of(sheet: Sheet, row: Row) -> list[str]:
    """The columns that a file of this row has."""
    return [column for column in headers(sheet, Language.EN) if column in row]


def base(bulk: Bulk) -> None:
    bulk.add(device_models, MODEL)
    known = {**HERE, "building": "3栋", "room": "301", "grid": "g-1", "device": "smoke-0301", "model": "nb-smoke-1"}
    report = bulk.sheets(
        {
            Sheet.PLACES: [{**HERE, "code": "zjs"}, {**known, "identity": "SN-1"}],
            Sheet.PEOPLE: [{"code": code, "name": f"网格员{code}"} for code in ("w-1", "w-2")],
            Sheet.GRIDS: [{"code": "g-1", "name": "一网格"}, {"code": "g-2", "name": "二网格"}],
        }
    )
    assert report.applied, told(report)


def test_each_fault_names_its_cell_and_what_to_do(bulk: Bulk) -> None:
    base(bulk)
    before = bulk.export("before")
    for sheet, row, column, code, suggestion in faulty_rows():
        report = bulk.sheets({sheet: [row]})
        (fault,) = report.plan.faults
        document = fault.document(Language.EN)
        assert document["code"] == code, (row, document)
        assert suggestion in document["suggestion"], (row, document)
        assert document["cell"].endswith("2")
        assert fault.column == (headers_of(sheet, row).index(column) if column else None), document
        assert not report.applied
    assert bulk.export("after") == before
    for table, count in ((people, 2), (shifts, 0), (devices, 1)):
        assert len(bulk.rows(table, "id")) == count


def test_the_second_of_two_is_at_fault_and_names_the_first(bulk: Bulk) -> None:
    base(bulk)
    room = {**HERE, "building": "3栋"}
    scanned: list[Row] = [
        {**room, "room": f"{n}", "device": f"smoke-010{n}", "model": "nb-smoke-1", "identity": "SN-77"} for n in (1, 2)
    ]
    shift = {"role": "grid_worker", "person": "w-1", "grid": "g-1"}
    pairs: tuple[tuple[Sheet, list[Row], str], ...] = (
        (Sheet.PLACES, scanned, "identity_twice"),
        (Sheet.PLACES, [{**room, "room": "1", "code": "r"}, {**room, "room": "2", "code": "r"}], "code_twice"),
        (Sheet.PLACES, [{**room, "room": "1", "code": "r"}, {**room, "room": "1", "code": "s"}], "contradiction"),
        (Sheet.PLACES, [{**room, "room": "1", "name_en": "R"}, {**room, "room": "1", "name_en": "S"}], "contradiction"),
        (Sheet.PEOPLE, [{"code": "w-5", "name": "甲"}, {"code": "w-5", "name": "乙"}], "code_twice"),
        (Sheet.GRIDS, [{"code": "g-5"}, {"code": "g-5"}], "code_twice"),
        (Sheet.SHIFTS, [shift, shift], "shift_twice"),
    )
    for sheet, rows, code in pairs:
        (fault,) = bulk.sheets({sheet: rows}).plan.faults
        assert (fault.row, fault.code) == (3, code)
        assert code == "contradiction" or fault.names["other"] == 2


@pytest.mark.parametrize("kind", [kind for kind in PlaceKind if kind is not PlaceKind.PART])
def test_a_tree_of_columns_cannot_go_in_a_circle(bulk_sqlite: Bulk, kind: PlaceKind) -> None:
    """A place may be called like the one above it; its level tells them apart."""
    levels = list(PlaceKind)
    row = {levels[levels.index(kind)].value: "同名", levels[levels.index(kind) + 1].value: "同名"}
    assert bulk_sqlite.places(row).applied
    paths = [path.split("/") for _, path in bulk_sqlite.rows(places, "id", "path")]
    assert sorted(len(path) for path in paths) == [1, 2]
    assert bulk_sqlite.places(row).plan.changes == 0
