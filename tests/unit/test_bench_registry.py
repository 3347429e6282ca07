"""The registry's benchmark: its tables on figures that can be checked by hand, and that a batch asks what it says."""

import json

from benchmarks import registry_duty, registry_floor, report, suite
from benchmarks.tables import tables
from devices.bulk.columns import COLUMNS, Sheet

_SERVICE = {"p50": 2.0, "p99": 6.0, "max": 8.0}
_FRESH = {"p50": 20.0, "p99": 30.0, "max": 40.0}
_BARE = {"p50": 1.0, "p99": 2.0, "max": 4.0}
_MS = {"service": _SERVICE, "fresh": _FRESH, "bare": _BARE}
_DUTY = {
    "devices": 1_000,
    "batches": 117,
    "batch": 256,
    "placed": 1_000,
    "answered": 990,
    "ms": _MS,
    "cpu_ms": {**_MS, "service": {"p50": 1.5, "p99": 3.0, "max": 4.0}},
}


def _imported(kind: str, rate: float) -> dict[str, object]:
    figures = {"seconds": 100.0, "cpu_seconds": 90.0, "peak_bytes": 300_000_000, "database_bytes": 2_500_000_000}
    return {"kind": kind, "rows": 2_000_000, "rows_per_s": rate, **figures}


_RESULT = {
    "registry": {
        "devices": 2_000_000,
        "written": {"rows": 2_000_000, "rows_per_s": 150_000.0, "bytes": 300_000_000, "peak_bytes": 43_000_000},
        "imports": [_imported("floor", 200_000.0), {**_imported("SQLite", 20_000.0), "duty": _DUTY}],
    }
}


def test_an_import_is_shown_as_a_part_of_its_floor() -> None:
    table = tables(_RESULT)[0]
    assert table.rows[0] == ("floor", "200,000", "", "100 s", "90 s", "300", "2,500")
    assert table.rows[1] == ("SQLite", "20,000", "0.10", "100 s", "90 s", "300", "2,500")
    assert table.rows[2][1] == ">= 20,000"
    assert "43 MB" in table.note


def test_a_batch_is_shown_per_device_and_beside_the_bare_look_up() -> None:
    table = tables(_RESULT)[1]
    rows = {cells[0]: cells[1:] for cells in table.rows}
    assert rows["SQLite: a batch, as the service asks"] == ("2.00", "6.00", "8.00")
    assert rows["SQLite: that for each device"] == ("0.008", "0.023", "0.031")
    assert rows["SQLite: CPU of it"] == ("1.50", "3.00", "4.00")
    assert rows["SQLite: the same, nothing remembered"] == ("20.00", "30.00", "40.00")
    assert rows["SQLite: divided by the floor"] == ("2.0x", "3.0x", "2.0x")
    assert rows["target, a batch on SQLite"] == ("", "<= 5", "")
    assert "99.0% with somebody on the first step" in table.note


def test_the_page_explains_the_import_only_where_it_was_measured() -> None:
    published = json.loads(report.PUBLISHED.read_text(encoding="utf-8"))
    published.pop("registry", None)
    assert "gengfu simulate city" not in report.page(published)
    assert "gengfu simulate city" in report.page(published | _RESULT)


def test_the_floor_finds_the_device_of_a_row() -> None:
    (column,) = [column for column in COLUMNS[Sheet.PLACES] if column.name == "device"]
    assert column.zh == registry_floor.DEVICE


def test_a_plan_counts_the_steps_of_the_registry() -> None:
    plan = suite.Plan(parts=("registry",), kinds=(suite.SQLITE, suite.POSTGRESQL))
    assert plan.steps() == 6
    assert plan.registry_devices == 2_000_000
    assert suite.quick(("registry",)).registry_devices < registry_duty.asked * 10
