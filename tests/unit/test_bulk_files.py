"""Bulk files: what they may be, what is refused early and in one sentence, and that memory stays flat meanwhile."""

import io
import tracemalloc
import zipfile
from pathlib import Path

import pytest
from openpyxl import Workbook

from devices.bulk import files
from devices.bulk.columns import Sheet, headers
from devices.bulk.faults import Faults
from devices.bulk.files import FileRefused, sheets_of
from devices.bulk.heads import Table, recognise
from devices.model import Language

MIB = 1024 * 1024
HEAD = "区县,街道,社区,设备\n"


def kept(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def read(path: Path) -> int:
    """How many rows the file has."""
    return sum(1 for sheet in sheets_of(path, path.name) for _ in sheet.rows())


def refusal(path: Path) -> str:
    """The code of a refusal that also speaks both languages; memory stays within a few MiB."""
    tracemalloc.start()
    try:
        with pytest.raises(FileRefused) as caught:
            read(path)
        assert tracemalloc.get_traced_memory()[1] < 24 * MIB
    finally:
        tracemalloc.stop()
    for language in Language:
        sentence = caught.value.sentence(language)
        assert path.name in sentence
        assert "\n" not in sentence
    return caught.value.code


def table_of(path: Path) -> Table:
    faults = Faults()
    (sheet,) = sheets_of(path, path.name)
    table = recognise(sheet, faults)
    assert table is not None, [fault.sentence(Language.EN) for fault in faults.listed]
    return table


def rows_of(path: Path) -> list[list[str]]:
    return [list(cells) for _, cells in table_of(path).rows(Faults())]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_what_spreadsheet_programs_write_is_read(tmp_path: Path, encoding: str, delimiter: str) -> None:
    text = (HEAD + '浉河区,五星街道,"周家山,社区",smoke-0001\n').replace(",", delimiter)
    path = kept(tmp_path, "places.csv", text.encode(encoding))
    assert rows_of(path) == [["浉河区", "五星街道", f"周家山{delimiter}社区", "smoke-0001"]]


def test_text_that_turns_out_to_be_gb18030_only_late(tmp_path: Path) -> None:
    filler = "a,b,c,dev-0001\n" * 200_000
    path = kept(tmp_path, "places.csv", (HEAD.replace("区县", "district") + filler).encode("gb18030"))
    assert rows_of(path)[-1] == ["a", "b", "c", "dev-0001"]
    english = "district,street,community,device\n"
    path = kept(tmp_path, "late.csv", (english + filler + "区,街,社,dev-0002\n").encode("gb18030"))
    assert rows_of(path)[-1] == ["区", "街", "社", "dev-0002"]


def test_a_workbook_is_read_by_its_headers(tmp_path: Path) -> None:
    book = Workbook()
    first = book.active
    assert first is not None
    first.title = "说明"
    people = book.create_sheet("whatever")
    people.append([*headers(Sheet.PEOPLE)[:2], "手机"])
    people.append(["w-1", "网格员甲", 13800138000])
    places = book.create_sheet("P")
    places.append(["区县", "房间", "设备"])
    places.append(["浉河区", 1201, "smoke-0001"])
    path = tmp_path / "all.xlsx"
    book.save(path)
    faults = Faults()
    tables = [table for sheet in sheets_of(path, path.name) if (table := recognise(sheet, faults))]
    assert [table.sheet for table in tables] == [Sheet.PEOPLE, Sheet.PLACES]
    assert [list(cells) for _, cells in tables[0].rows(faults)] == [["w-1", "网格员甲", "13800138000"]]
    assert [list(cells) for _, cells in tables[1].rows(faults)] == [["浉河区", "1201", "smoke-0001"]]
    assert not faults.total


def test_unknown_headers_name_the_nearest_known_one(tmp_path: Path) -> None:
    faults = Faults()
    (sheet,) = sheets_of(kept(tmp_path, "p.csv", "district,stret,设备,设备\nx,y,z,z\n".encode()), "p.csv")
    assert recognise(sheet, faults) is None
    told = {fault.cell: fault.document(Language.EN) for fault in faults.listed}
    assert told["B1"]["suggestion"] == "Did you mean street?"
    assert told["D1"]["code"] == "header_twice"


def test_every_header_in_both_languages_means_its_column() -> None:
    for sheet in Sheet:
        for language in Language:
            faults = Faults()
            head = headers(sheet, language)
            raw = files.RawSheet(f"{sheet.value}.csv", "", lambda head=head: iter([(1, head)]))  # type: ignore[misc]
            table = recognise(raw, faults)
            assert table is not None
            assert (table.sheet, list(table.at)) == (sheet, headers(sheet, Language.EN))


def workbook_bytes(extra: dict[str, bytes] | None = None) -> bytes:
    book = Workbook()
    assert book.active is not None
    book.active.append(["区县", "设备"])
    held = io.BytesIO()
    book.save(held)
    with zipfile.ZipFile(held, "a", zipfile.ZIP_DEFLATED) as archive:
        for name, content in (extra or {}).items():
            archive.writestr(name, content)
    return held.getvalue()


def test_what_is_not_what_its_name_says(tmp_path: Path) -> None:
    assert refusal(kept(tmp_path, "a.csv", workbook_bytes())) == "not_csv_but_zip"
    assert refusal(kept(tmp_path, "a.xlsx", HEAD.encode())) == "not_xlsx"
    assert refusal(kept(tmp_path, "b.xlsx", b"PK\x03\x04" + b"\0" * 500)) == "not_xlsx"
    assert refusal(kept(tmp_path, "c.csv", bytes(range(256)) * 20)) == "not_text"
    assert refusal(kept(tmp_path, "d.csv", b"\x81\x20\xff\xff,\x80")) == "not_text"
    assert refusal(kept(tmp_path, "e.csv", b"")) == "empty"
    assert refusal(kept(tmp_path, "f.exe", b"MZ....")) == "extension"
    assert refusal(kept(tmp_path, "g.xlsx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 512)) == "encrypted"
    assert refusal(kept(tmp_path, "h.xlsm", workbook_bytes())) == "macros"
    assert refusal(kept(tmp_path, "i.xlsx", workbook_bytes({"xl/vbaProject.bin": b"x"}))) == "macros"
    assert refusal(tmp_path / "gone.csv") == "missing_file"
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("readme.txt", "no workbook")
    assert refusal(kept(tmp_path, "j.xlsx", archive.getvalue())) == "not_xlsx"


def test_bombs_are_refused_before_they_are_unpacked(tmp_path: Path) -> None:
    sheet_of_zeros = {"xl/worksheets/sheet9.xml": b"0" * (80 * MIB)}
    assert refusal(kept(tmp_path, "sheet.xlsx", workbook_bytes(sheet_of_zeros))) == "bomb"
    assert refusal(kept(tmp_path, "strings.xlsx", workbook_bytes({"xl/x.xml": b"ab" * (33 * MIB)}))) == "bomb"
    many = {f"xl/media/{number}": b"x" for number in range(files.parts_max)}
    assert refusal(kept(tmp_path, "many.xlsx", workbook_bytes(many))) == "bomb"


def test_half_a_gigabyte_is_refused_by_its_size(tmp_path: Path) -> None:
    path = tmp_path / "large.csv"
    with path.open("wb") as opened:
        opened.write(HEAD.encode())
        opened.truncate(500 * MIB)  # a hole: it takes no disk
    assert refusal(path) == "too_large"


def test_a_line_without_an_end_and_a_quote_without_one(tmp_path: Path) -> None:
    assert refusal(kept(tmp_path, "line.csv", b"x" * (8 * MIB))) == "long_line"
    path = kept(tmp_path, "quote.csv", (HEAD + 'a,b,c,"d\n' + "a,b,c,d\n" * 50_000).encode())
    faults = Faults()
    assert list(table_of(path).rows(faults)) == []
    assert [(fault.row, fault.code) for fault in faults.listed] == [(2, "not_csv")]


def test_cells_without_a_header_are_told(tmp_path: Path) -> None:
    faults = Faults()
    path = kept(tmp_path, "wide.csv", (HEAD + "a,b,c,dev-0001,stray\na,b\n\n").encode())
    assert [list(cells) for _, cells in table_of(path).rows(faults)] == [
        ["a", "b", "c", "dev-0001"],
        ["a", "b", "", ""],
    ]
    assert [(fault.cell, fault.code) for fault in faults.listed] == [("E2", "extra_cell")]
