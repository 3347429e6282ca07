"""Bulk imports on both databases: one file makes tree, grids and devices; everything or nothing; the same file again
changes nothing."""

from pathlib import Path

import pytest
from openpyxl import Workbook
from sqlalchemy import select

from devices.bulk.columns import Sheet, headers
from devices.bulk.files import FileRefused
from devices.model import Language
from devices.store import audit as audits
from devices.store.scope import Scope
from devices.store.tables import contact_points, devices, grid_places, grids, people, places, shifts
from devices.store.tables_audit import audit
from devices.store.tables_devices import device_identities, device_models, device_placements
from devices.store.tables_duty import grid_members, grid_neighbours
from devices.store.tables_places import compounds, organisations
from tests.contract.bulk_support import MODEL, NOW, Bulk, codes, told, write_csv

pytest_plugins = ["tests.contract.bulk_fixtures"]

HERE = {"city": "信阳市", "district": "浉河区", "street": "五星街道", "community": "周家山社区"}


def room(number: str, device: str = "", building: str = "3栋", grid: str = "g-1", **more: str) -> dict[str, str]:
    kind = {"kind": "smoke_detector"} if device else {}
    return {
        **HERE,
        "compound": "阳光花园",
        "building": building,
        "room": number,
        "grid": grid,
        "device": device,
        **kind,
        **more,
    }


def counts(bulk_counts: dict[str, dict[str, int]], what: str) -> dict[str, int]:
    return {noun: each[what] for noun, each in bulk_counts.items() if each[what]}


def covered(bulk: Bulk) -> list[tuple[str, str]]:
    """(name of the place, code of the grid)."""
    query = (
        select(places.c.name, grids.c.code)
        .join(grid_places, grid_places.c.place_id == places.c.id)
        .join(grids, grids.c.id == grid_places.c.grid_id)
    )
    return sorted(bulk.run(lambda conn: [(name, code) for name, code in conn.execute(query)]))


def test_one_file_makes_tree_grids_and_devices_and_again_nothing(bulk: Bulk) -> None:
    rows = [room("301", "smoke-0301"), room("302", "smoke-0302"), room("101", "smoke-0101", building="4栋", grid="g-2")]
    first = bulk.places(*rows)
    assert first.applied, told(first)
    assert counts(first.plan.counts, "create") == {"places": 10, "devices": 3, "grids": 2, "coverage": 2}
    names = dict(bulk.rows(places, "id", "name"))
    (path,) = [path for name, path in bulk.rows(places, "name", "path") if name == "301"]
    assert [names[id_] for id_ in path.split("/")] == [*HERE.values(), "阳光花园", "3栋", "301"]
    assert len(path) == 7 * 14 - 1
    assert covered(bulk) == [("3栋", "g-1"), ("4栋", "g-2")]
    where = {
        id_: (names[place], kind, state)
        for id_, place, kind, state in bulk.rows(devices, "id", "place_id", "kind", "state")
    }
    assert where["smoke-0301"] == ("301", "smoke_detector", "registered")
    again = bulk.places(*rows)
    assert not again.applied
    assert again.plan.changes == 0
    assert counts(again.plan.counts, "same") == {"places": 10, "devices": 3, "grids": 2}
    assert len(bulk.rows(audit, "id")) == 1


def test_all_sheets_together_in_any_order(bulk: Bulk) -> None:
    bulk.add(device_models, MODEL)
    shifts_rows = [
        {"role": "网格员", "person": "w-1", "grid": "g-1"},
        {
            "role": "社区值班",
            "person": "w-2",
            "place": "zjs",
            "starts_at": "2026-12-01 20:00",
            "ends_at": "2026-12-02 08:00",
        },
    ]
    grid_rows = [
        {
            "code": "g-1",
            "name": "一网格",
            "community": "zjs",
            "workers": "w-2;w-1",
            "neighbours": "g-2",
            "night": "22:00-07:00",
        },
        {"code": "g-2", "name": "二网格", "community": "信阳市/浉河区/五星街道/周家山社区"},
    ]
    people_rows = [
        {"code": "w-1", "name": "网格员甲", "phone": "13800138000", "place": "zjs"},
        {"code": "w-2", "name": "网格员乙", "phone": "138 0013 8001", "channels": "短信 app", "kind": "值班台"},
    ]
    community = {**HERE, "code": "zjs", "name_en": "Zhoujiashan", "lat": "32.1", "lon": "114.05"}
    compound = {
        **HERE,
        "compound": "阳光花园",
        "compound_type": "商品房",
        "property_company": "甲物业",
        "committee": "业委会",
    }
    device = room("301", "smoke-0301", kind="", model="nb-smoke-1", identity="356938035643809")
    given = {
        Sheet.SHIFTS: shifts_rows,
        Sheet.GRIDS: grid_rows,
        Sheet.PEOPLE: people_rows,
        Sheet.PLACES: [community, compound, device],
    }
    report = bulk.sheets(given)
    assert report.applied, told(report)
    ids = dict(bulk.rows(people, "code", "id"))
    grid_ids = dict(bulk.rows(grids, "code", "id"))
    assert bulk.rows(grid_members, "grid_id", "person_id", "rank") == sorted(
        [(grid_ids["g-1"], ids["w-2"], 0), (grid_ids["g-1"], ids["w-1"], 1)], key=repr
    )
    assert bulk.rows(grid_neighbours, "grid_id", "neighbour_id") == [(grid_ids["g-1"], grid_ids["g-2"])]
    assert ("g-1", "一网格", 1320, 420) in bulk.rows(grids, "code", "name", "night_from", "night_to")
    assert sorted(bulk.rows(contact_points, "channel", "address")) == sorted(
        [("sms", "+8613800138000"), ("voice", "+8613800138000"), ("sms", "+8613800138001"), ("app", ids["w-2"])]
    )
    assert bulk.rows(device_identities, "dialect", "external_id", "kind") == [("ctwing", "356938035643809", "imei")]
    assert bulk.rows(devices, "kind", "model_id", "supervision_window_s") == [("smoke_detector", "model-1", 90_000)]
    assert bulk.rows(organisations, "kind", "name") == [("property_company", "甲物业")]
    assert bulk.rows(compounds, "type", "committee") == [("commercial", "owners")]
    spans = bulk.rows(shifts, "role", "starts_at")
    assert [(role, at.isoformat() if at else None) for role, at in spans] == [
        ("community_duty", "2026-12-01T12:00:00+00:00"),
        ("grid_worker", None),
    ]
    again = bulk.sheets(given)
    assert (again.applied, again.plan.changes) == (False, 0), again.plan.counts


def test_a_dry_run_says_the_same_and_changes_nothing(bulk: Bulk) -> None:
    dry = bulk.places(room("301", "smoke-0301"), dry_run=True)
    assert not dry.applied
    assert bulk.rows(places, "id") == bulk.rows(audit, "id") == []
    assert bulk.places(room("301", "smoke-0301")).plan.counts == dry.plan.counts


def test_one_faulty_row_keeps_everything_out(bulk: Bulk) -> None:
    report = bulk.places(room("301", "smoke-0301"), room("302", "no good id"))
    assert codes(report) == [("I3", "bad_device")]
    for table in (places, grids, devices, audit):
        assert bulk.rows(table, "id") == []


def test_changes_are_changes_and_blank_cells_say_nothing(bulk: Bulk) -> None:
    bulk.places({**HERE, "code": "zjs"}, room("301", "smoke-0301"), room("302"))
    moved = bulk.places({**HERE, "code": "zjs", "name_en": "Zhoujiashan"}, room("302", "smoke-0301", state="installed"))
    assert counts(moved.plan.counts, "change") == {"places": 1, "devices": 1}
    names = dict(bulk.rows(places, "id", "name"))
    assert [(names[place], state) for place, state in bulk.rows(devices, "place_id", "state")] == [("302", "installed")]
    stays = bulk.rows(device_placements, "place_id", "reason", "to_at")
    assert sorted((names[place], reason, to_at is None) for place, reason, to_at in stays) == [
        ("301", "placed", False),
        ("302", "moved", True),
    ]
    assert ("zjs", "Zhoujiashan", 2) in bulk.rows(places, "code", "name_en", "version")
    renamed = bulk.places({**HERE, "community": "周家山新社区", "code": "zjs"})
    assert counts(renamed.plan.counts, "change") == {"places": 1}
    assert "周家山社区" not in dict(bulk.rows(places, "name", "id"))


def test_a_grid_covers_the_largest_place_that_is_its_own(bulk: Bulk) -> None:
    whole = [{**HERE, "compound": f"小区{n}", "building": f"{b}栋", "grid": f"g-{n}"} for n in (1, 2) for b in (1, 2)]
    alone = {**HERE, "community": "别处社区", "compound": "小区9", "building": "1栋", "grid": "g-9"}
    split = [{**HERE, "compound": "小区3", "building": f"{b}栋", "grid": f"g-{b}"} for b in (1, 2)]
    report = bulk.places(*whole, *split, alone)
    assert report.applied, told(report)
    assert covered(bulk) == [("1栋", "g-1"), ("2栋", "g-2"), ("别处社区", "g-9"), ("小区1", "g-1"), ("小区2", "g-2")]
    part = bulk.places({**HERE, "compound": "小区1", "building": "1栋", "room": "101", "grid": "g-1"})
    assert counts(part.plan.counts, "create") == {"places": 1}
    taken = bulk.places({**HERE, "compound": "小区1", "building": "1栋", "grid": "g-2"})
    assert told(taken) == [("G2", "covered", "Name that grid, or change its places in the registry first.")]
    twice = bulk.places(*({**HERE, "compound": "小区5", "grid": grid} for grid in ("g-1", "g-2")))
    assert codes(twice) == [("F3", "two_grids")]
    large = bulk.places({"city": "信阳市", "grid": "g-1"})
    assert codes(large) == [("B2", "grid_too_large")]


def test_a_partial_file_does_not_spread_a_grid_over_its_neighbours(bulk: Bulk) -> None:
    bulk.places(room("101", grid="g-1"), room("101", building="4栋", grid="g-2"))
    report = bulk.places(room("101", building="5栋", grid="g-1"))
    assert report.applied, told(report)
    assert covered(bulk) == [("3栋", "g-1"), ("4栋", "g-2"), ("5栋", "g-1")]


def test_levels_may_be_left_out_from_the_top_and_in_between(bulk: Bulk) -> None:
    bulk.places({**HERE, "compound": "阳光花园"})
    report = bulk.places(
        {"compound": "阳光花园", "room": "101"}, {"district": "平桥区"}, {"street": "五星街道", "part": "广场"}
    )
    assert report.applied, told(report)
    names = dict(bulk.rows(places, "id", "name"))
    chains = {name: [names[id_] for id_ in path.split("/")] for name, path in bulk.rows(places, "name", "path")}
    assert chains["101"] == [*HERE.values(), "阳光花园", "101"]
    assert chains["平桥区"] == ["信阳市", "平桥区"]
    assert chains["广场"] == ["信阳市", "浉河区", "五星街道", "广场"]
    bulk.places({**HERE, "community": "别处社区", "compound": "阳光花园"})
    assert codes(bulk.places({"compound": "阳光花园", "room": "102"})) == [("A2", "ambiguous_place")]


def test_device_states_obey_the_law_of_devices(bulk: Bulk) -> None:
    bulk.places(room("301", "smoke-0301", state="已安装"), room("302", "smoke-0302", state="commissioned"))
    assert codes(bulk.places(room("301", "smoke-0301", state="commissioned"))) == [("K2", "needs_walk_test")]
    moved = bulk.places(room("303", "smoke-0302"))
    assert moved.applied
    assert ("smoke-0302", "installed") in bulk.rows(devices, "id", "state")
    assert codes(bulk.places(room("303", "smoke-0302", state="commissioned"))) == [("K2", "needs_walk_test")]


def test_a_scoped_caller_writes_only_within_his_scope(bulk: Bulk) -> None:
    bulk.places(
        room("301", "smoke-0301"),
        {**HERE, "community": "别处社区", "building": "9栋", "device": "smoke-0901", "kind": "camera"},
    )
    (path,) = [path for name, path in bulk.rows(places, "name", "path") if name == "周家山社区"]
    mine = Scope((path,))
    assert bulk.places(room("305", "smoke-0305"), scope=mine).applied
    before = bulk.export("before")
    other = {**HERE, "community": "别处社区", "building": "9栋", "room": "1"}
    for row, fault in (
        (other, ("D2", "outside_scope")),
        ({**HERE, "street": "新街道"}, ("C2", "outside_scope")),
        ({**HERE, "name_en": "Mine", "district": "浉河区"}, None),
        ({"city": "信阳市", "name_en": "Xinyang"}, ("2", "outside_scope")),
        (room("301", "smoke-0901"), ("I2", "device_taken")),
    ):
        report = bulk.places(row, scope=mine)
        assert codes(report) == ([fault] if fault else [])
        if fault is None:
            before = bulk.export("before")
    assert bulk.export("after") == before
    person = {"code": "w-1", "name": "网格员甲"}
    assert codes(bulk.sheets({Sheet.PEOPLE: [person]}, scope=mine)) == [("2", "outside_scope")]


def test_workbook_and_csv_say_the_same(bulk: Bulk) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "anything"
    sheet.append([*headers(Sheet.PLACES, Language.ZH_CN)[:12], "设备类型"])
    sheet.append([*HERE.values(), "阳光花园", "3栋", None, None, 301, None, "g-1", "smoke-0301", "smoke_detector"])
    path = bulk.folder / "all.xlsx"
    book.save(path)
    assert bulk.load(path).applied
    assert bulk.places(room("301", "smoke-0301")).plan.changes == 0


def test_volunteers_have_hours_and_stewards_consent_and_a_hidden_number_stands_for_their_own(bulk: Bulk) -> None:
    known = {"code": "v-1", "name": "志愿者甲", "kind": "志愿者", "hours": "19:30-06:00", "phone": "13800138000"}
    given = {Sheet.PEOPLE: [{**known, "night_calls_consent_at": "2026-05-01 08:00"}]}
    assert bulk.sheets(given).applied
    assert bulk.rows(people, "kind", "hours_from", "hours_to") == [("volunteer", 1170, 360)]
    ((consent,),) = bulk.rows(people, "night_calls_consent_at")
    assert consent.isoformat() == "2026-05-01T00:00:00+00:00"
    assert bulk.sheets(given).plan.changes == 0
    hidden = {Sheet.PEOPLE: [{**known, "phone": "138****8000"}]}
    assert bulk.sheets(hidden).plan.changes == 0
    assert codes(bulk.sheets({Sheet.PEOPLE: [{**known, "phone": "138****8001"}]})) == [("D2", "masked_phone")]


def test_a_file_neither_removes_a_device_nor_brings_it_back(bulk: Bulk) -> None:
    bulk.places(room("301", "smoke-0301"), room("302", "smoke-0302", state="removed"))
    for row in (room("301", "smoke-0301", state="removed"), room("302", "smoke-0302", state="registered")):
        assert codes(bulk.places(row)) == [("K2", "bad_move")]


def test_long_names_are_told_and_taken(bulk: Bulk) -> None:
    report = bulk.places({**HERE, "compound": "很长的小区名称" * 6, "building": "3栋"})
    assert report.applied
    assert [fault.document(Language.EN)["cell"] for fault in report.plan.warnings] == ["E2"]
    assert codes(bulk.places({**HERE, "compound": "名" * 65})) == [("E2", "too_long")]


def test_the_audit_knows_of_an_import_and_its_chain_holds(bulk: Bulk) -> None:
    bulk.places(room("301", "smoke-0301"))
    ((act, detail),) = bulk.rows(audit, "act", "detail")
    assert act == "import"
    assert detail["files"] == "places.csv"
    assert len(detail["sha256"]) == 64
    assert detail["counts"]["devices"]["create"] == 1
    assert bulk.run(audits.head)[0] == 1


def test_a_random_order_gives_the_same_tree(bulk_sqlite: Bulk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when not even a part of the tree fits in memory."""
    monkeypatch.setattr("devices.store.bulk_tree.nodes_cached_max", 5)
    monkeypatch.setattr("devices.store.bulk_work.CHUNK_ROWS", 7)
    rows = [
        room(f"{n}", f"smoke-{n:04d}", building=f"{n % 5}栋", grid=f"g-{n % 5}", name_en=f"R{n}") for n in range(100)
    ]
    mixed = [rows[index * 37 % 100] for index in range(100)]
    report = bulk_sqlite.places(*mixed)
    assert counts(report.plan.counts, "create") == {"places": 110, "devices": 100, "grids": 5, "coverage": 5}
    again = bulk_sqlite.places(*rows)
    assert again.plan.changes == 0
    assert counts(again.plan.counts, "same") == {"places": 110, "devices": 100, "grids": 5}


def test_a_file_that_is_refused_says_why(bulk_sqlite: Bulk) -> None:
    path = bulk_sqlite.folder / "x.xlsx"
    path.write_bytes(b"no workbook")
    with pytest.raises(FileRefused):
        bulk_sqlite.load(path)
    assert NOW.tzinfo is not None
    assert isinstance(write_csv(bulk_sqlite.folder, Sheet.PEOPLE, []), Path)
