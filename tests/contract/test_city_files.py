"""`gengfu simulate city`: the files a shell gets, the same bytes for the same seed, and that the import takes them."""

import csv
from pathlib import Path

from devices.bulk.columns import Sheet, headers
from gengfu.cli import city_files
from simulators.city import load_city
from tests.contract.cli_support import Shell

pytest_plugins = ["tests.contract.cli_fixtures"]

FILES = ["places.csv", "people.csv", "grids.csv", "shifts.csv"]


def test_the_mission_s_city_is_written_as_files(shell: Shell) -> None:
    lines = shell.ok("simulate", "city", "made", "--devices", "500")
    counts = {Path(file).name: int(rows) for file, rows in (line.split("\t") for line in lines)}
    assert counts["grids.csv"] == 18_100
    assert counts["people.csv"] > 39_300 + 6_957
    for file, count in counts.items():
        assert len(_rows(shell.folder / "made" / file)) == count
    assert sum(bool(row["设备"]) for row in _rows(shell.folder / "made" / "places.csv")) == 500
    assert sorted(counts) == sorted(FILES)


def test_headers_are_those_of_the_import(shell: Shell) -> None:
    shell.ok("simulate", "city", "street", "--demo")
    for sheet in Sheet:
        with (shell.folder / "street" / f"{sheet.value}.csv").open(encoding="utf-8-sig", newline="") as opened:
            assert set(next(csv.reader(opened))) <= set(headers(sheet))


def test_the_same_seed_writes_the_same_bytes(shell: Shell) -> None:
    for folder, seed in (("a", "5"), ("b", "5"), ("c", "6")):
        shell.ok("simulate", "city", folder, "--devices", "50", "--seed", seed)
    first, again, other = ([(shell.folder / each / file).read_bytes() for file in FILES] for each in "abc")
    assert first == again
    assert all(one != two for one, two in zip(first[:1] + first[2:], other[:1] + other[2:], strict=True))


def test_a_long_table_goes_on_in_further_files_and_none_is_left_of_a_longer_one(tmp_path: Path) -> None:
    tables = city_files.city_tables(load_city())
    (places, _), *_ = whole = list(city_files.write_tables(tables, tmp_path))
    assert [file.name for file, _ in whole] == FILES
    rows = _rows(places)
    parts = list(city_files.write_tables(city_files.city_tables(load_city())[:1], tmp_path, per_file=30))
    assert [file.name for file, _ in parts] == ["places.csv", "places-2.csv", "places-3.csv", "places-4.csv"]
    assert [row for file, _ in parts for row in _rows(file)] == rows
    assert [len(_rows(file)) for file, _ in parts] == [count for _, count in parts]
    list(city_files.write_tables(city_files.city_tables(load_city())[:1], tmp_path, per_file=60))
    assert sorted(file.name for file in tmp_path.glob("places*")) == ["places-2.csv", "places.csv"]


def test_the_street_of_the_demonstration_can_be_had_instead(shell: Shell) -> None:
    shell.ok("simulate", "city", "street", "--demo")
    people = {row["人员编码"]: row for row in _rows(shell.folder / "street" / "people.csv")}
    assert people["worker-a"]["姓名"] == "网格员甲"
    assert any(row["编码"] == "jd-hy-3-2-1201-k" for row in _rows(shell.folder / "street" / "places.csv"))


def test_what_no_city_has_is_refused(shell: Shell) -> None:
    assert "--demo" in shell.refusal(2, "simulate", "city", "x", "--demo", "--devices", "5")
    assert shell.run("simulate", "city", "x", "--devices", "2000001").code == 2
    assert not (shell.folder / "x").exists()


def _rows(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8-sig", newline="") as opened:
        return list(csv.DictReader(opened))
