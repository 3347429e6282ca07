"""Single cells of bulk files: formulas escaped and back, times and their zones, numbers, identities, short ids."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.bulk.cells import clean, escape, letters, unescape
from devices.bulk.faults import Fault, Faults, faults_listed_max, nearest
from devices.bulk.values import Bad, ShortIds, coordinate, identity, instant, instant_text, night, night_text, whole
from devices.bulk.words import FAULTS, REFUSALS
from devices.model import IdentityKind, Language

CHINA, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")


@given(st.text())
def test_escaping_is_undone_by_reading(text: str) -> None:
    cell = escape(text)
    assert unescape(cell) == text
    assert not cell[:1] or cell[0] not in "=+-@\t\r\n＝＋－＠"


@given(st.text(st.sampled_from("'=+-@ a中\n\t"), max_size=6))
def test_a_name_survives_its_cell(text: str) -> None:
    name = text.strip()
    assert clean(escape(name)) == name


def test_columns_are_named_as_spreadsheets_name_them() -> None:
    assert [letters(index) for index in (0, 7, 25, 26, 51, 52, 701, 702)] == [
        "A",
        "H",
        "Z",
        "AA",
        "AZ",
        "BA",
        "ZZ",
        "AAA",
    ]
    assert Fault("f", "", 17, 7, "missing").cell == "H17"


def test_wall_time_is_the_deployments_and_clock_changes_are_seen() -> None:
    assert instant("2026-05-01 08:00", CHINA) == datetime(2026, 5, 1, 0, 0, tzinfo=UTC)
    assert instant("2026/5/1 8:00", CHINA) == datetime(2026, 5, 1, 0, 0, tzinfo=UTC)
    assert instant("2026-05-01T08:00:00+02:00", CHINA) == datetime(2026, 5, 1, 6, 0, tzinfo=UTC)
    assert instant("2026-05-01", CHINA) == datetime(2026, 4, 30, 16, 0, tzinfo=UTC)
    skipped, repeated = instant("2026-03-29 02:30", BERLIN), instant("2026-10-25 02:30", BERLIN)
    assert isinstance(skipped, Bad)
    assert skipped.code == "no_such_time"
    assert repeated == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    for text in ("tomorrow", "2026-13-01", "2026-02-30 08:00", "08:00", "2026-05-01T08:00:00.5"):
        assert isinstance(instant(text, CHINA), Bad), text


@given(st.integers(0, 10**17))
def test_instants_come_back(microseconds: int) -> None:
    at = datetime(1990, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds % (100 * 365 * 86_400 * 10**6))
    assert instant(instant_text(at), CHINA) == at


@given(st.integers(0, 1439), st.integers(0, 1439))
def test_night_rules_come_back(begins: int, ends: int) -> None:
    expected = (begins, ends) if begins != ends else None
    read = night(night_text(begins, ends))
    assert read == expected if expected else isinstance(read, Bad)


def test_night_rules_as_people_write_them() -> None:
    assert night("22:00-07:00") == (1320, 420)
    assert night("22：00～7：00") == (1320, 420)
    assert night("20:00-24:00") == (1200, 0)
    for text in ("22-07", "25:00-07:00", "22:60-07:00", "always"):
        assert isinstance(night(text), Bad)


def test_identities_are_told_apart_and_checked() -> None:
    assert identity("356938035643809") == (IdentityKind.IMEI, "356938035643809")
    assert identity("a84041ffff1234ab") == (IdentityKind.DEV_EUI, "A84041FFFF1234AB")
    assert identity("SN-2026/77") == (IdentityKind.SERIAL, "SN-2026/77")
    wrong = identity("356938035643808")
    assert isinstance(wrong, Bad)
    assert wrong.code == "bad_imei"


def test_numbers_stay_in_their_range() -> None:
    assert coordinate("32.13", 90.0) == 32.13
    for text in ("90.1", "-91", "x", "nan", "inf", ""):
        assert isinstance(coordinate(text, 90.0), Bad)
    assert whole("7", 0, 10) == 7
    for text in ("11", "-1", "1.5", "٣", ""):
        assert isinstance(whole(text, 0, 10), Bad)


def test_short_ids_grow_and_later_imports_grow_further() -> None:
    at = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
    first, later = ShortIds(at), ShortIds(at.replace(microsecond=10_000))
    made = [first() for _ in range(3_000)]
    assert made == sorted(set(made))
    assert {len(each) for each in made} == {13}
    assert made[-1] < later()


@pytest.mark.parametrize("language", Language)
def test_every_fault_and_refusal_speaks(language: Language) -> None:
    names = dict.fromkeys(
        [
            "value",
            "other",
            "column",
            "max",
            "values",
            "count",
            "grid",
            "before",
            "after",
            "min",
            "length",
            "near",
            "row",
            "file",
            "mb",
            "kb",
            "cause",
        ],
        "x",
    )
    for code in FAULTS:
        told = Fault("f.csv", "", 2, 1, code, names).document(language)
        assert told["reason"]
        assert told["suggestion"]
        assert "{" not in told["reason"] + told["suggestion"]
    for sentences in REFUSALS.values():
        assert "{" not in sentences[0 if language is Language.ZH_CN else 1].format(**names)


def test_faults_are_counted_beyond_what_is_listed() -> None:
    faults = Faults()
    for row in range(faults_listed_max + 5):
        faults.add(Fault("f", "", row, 0, "missing", {"column": "x"}))
    assert (len(faults.listed), faults.total) == (faults_listed_max, faults_listed_max + 5)


def test_the_nearest_value_is_found_and_a_far_one_is_not() -> None:
    assert nearest("comunity_duty", ["community_duty", "street_duty"]) == "community_duty"
    assert nearest("xyz", ["community_duty"]) is None
    assert nearest("g-00123x", [f"g-{number:05d}" for number in range(5_000)]) is not None
