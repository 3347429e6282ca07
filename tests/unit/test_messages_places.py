"""Place text: verbatim names, any level missing, and how a voice says them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.core.model import PlaceText
from alerting.core.parts import is_gsm7
from alerting.core.places import is_unplaced, latin, place_text, say_en, say_zh
from devices.model import Place, PlaceKind, Placement

Level = tuple[str, str, str]
"""Kind, name, Latin name."""


def chain(*levels: Level, points: dict[str, tuple[float, float]] | None = None) -> tuple[Place, ...]:
    """Places from the root down; `points` gives (lat, lon) by name."""
    path: tuple[str, ...] = ()
    places = []
    for number, (kind, name, name_en) in enumerate(levels):
        path = (*path, f"018f2b7c-9a01-7000-8000-{number:012d}")
        lat, lon = (points or {}).get(name, (None, None))
        places.append(Place(path[-1], PlaceKind(kind), name, name_en, path, lat, lon))
    return tuple(places)


def placed(*levels: Level) -> Placement:
    return Placement("smoke-0123", "smoke_detector", chain(*levels), None)


CITY: tuple[Level, ...] = (
    ("city", "信阳市", "Xinyang"),
    ("district", "浉河区", "Shihe"),
    ("street", "金牛山街道", "Jinniushan"),
)
JINDING: tuple[Level, ...] = (
    *CITY,
    ("community", "金鼎社区", "Jinding Cmty"),
    ("compound", "金鼎小区", "Jinding Garden"),
)
ZHOUJIASHAN: tuple[Level, ...] = (*CITY, ("community", "周家山社区", "Zhoujiashan"))

FLAT = placed(
    *JINDING,
    ("building", "3栋", "B3"),
    ("unit", "2单元", "U2"),
    ("floor", "12层", "F12"),
    ("room", "1201", "1201"),
    ("part", "客厅", "living"),
)
SELF_BUILT = placed(*ZHOUJIASHAN, ("building", "168号", "No 168"))
SHOP = placed(*ZHOUJIASHAN, ("part", "1号门面", "shop 1"))
BIKE_SHED = placed(*JINDING, ("part", "2号充电棚", "shed 2"))
LIFT = placed(*JINDING, ("building", "5号楼", "B5"), ("part", "东侧电梯", "east lift"))
TWENTY = "浉河碧桂园翡翠湾东区二期北苑西岸水榭花都"
LONG_NAMES = placed(
    *CITY,
    ("compound", TWENTY, "Country Garden Emerald Bay East"),
    ("building", "13号楼", "B13"),
    ("unit", "2单元", "U2"),
    ("floor", "12层", "F12"),
    ("room", "1201", "1201"),
    ("part", "客厅", "living room"),
)


@pytest.mark.parametrize(
    ("placement", "zh", "en", "spoken_zh", "spoken_en"),
    [
        (
            FLAT,
            "金鼎小区3栋2单元12层1201客厅",
            "Jinding Garden B3 U2 F12 1201 living",
            "金鼎小区，三栋，二单元，十二层，幺二零幺，客厅",
            "Jinding Garden, building B3, unit 2, floor 12, room 1 2 0 1, living",
        ),
        (
            SELF_BUILT,
            "周家山社区168号",
            "Zhoujiashan No 168",
            "周家山社区，幺六八号",
            "Zhoujiashan, number 1 6 8",
        ),
        (SHOP, "周家山社区1号门面", "Zhoujiashan shop 1", "周家山社区，一号门面", "Zhoujiashan, shop 1"),
        (BIKE_SHED, "金鼎小区2号充电棚", "Jinding Garden shed 2", "金鼎小区，二号充电棚", "Jinding Garden, shed 2"),
        (
            LIFT,
            "金鼎小区5号楼东侧电梯",
            "Jinding Garden B5 east lift",
            "金鼎小区，五号楼，东侧电梯",
            "Jinding Garden, building B5, east lift",
        ),
    ],
)
def test_the_places_of_the_city(placement: Placement, zh: str, en: str, spoken_zh: str, spoken_en: str) -> None:
    text = place_text(placement, "smoke-0123")
    assert (text.zh, text.en, text.spoken_zh, text.spoken_en) == (zh, en, spoken_zh, spoken_en)
    assert not is_unplaced(text)


@pytest.mark.parametrize("placement", [None, placed()])
def test_no_place_says_so_and_names_the_device(placement: Placement | None) -> None:
    text = place_text(placement, "smoke-0123")
    assert text == PlaceText(
        zh="未登记位置(设备 smoke-0123)",
        en="unregistered place, device smoke-0123",
        spoken_zh="未登记位置，设备尾号零幺二三",
        spoken_en="unregistered place, device ending 0 1 2 3",
    )
    assert is_unplaced(text)


def test_bare_numbers_do_not_run_into_one() -> None:
    bare = placed(
        ("compound", "金鼎小区", "Phase 2"), ("building", "3", "3"), ("unit", "2", "2"), ("room", "1201", "1201")
    )
    text = place_text(bare, "d")
    assert text.zh == "金鼎小区3-2-1201"
    assert text.en == "Phase 2, 3-2-1201"
    assert text.spoken_zh == "金鼎小区，三，二，幺二零幺"


def test_a_floor_below_ground_keeps_its_sign() -> None:
    cellar = placed(("compound", "金鼎小区", "Jinding"), ("building", "A", "A"), ("floor", "-1层", "-1"))
    text = place_text(cellar, "d")
    assert text.zh == "金鼎小区A -1层"
    assert text.spoken_zh == "金鼎小区，A，负一层"
    assert text.spoken_en == "Jinding, building A, floor minus 1"


@pytest.mark.parametrize(
    ("levels", "zh"),
    [
        ((("city", "信阳市", "Xinyang"),), "信阳市"),
        ((("city", "信阳市", "Xinyang"), ("street", "金牛山街道", "Jns"), ("part", "泵房", "pump")), "金牛山街道泵房"),
        ((("community", "金鼎社区", "Jd"),), "金鼎社区"),
        ((("building", "3栋", "B3"), ("room", "101", "101")), "3栋101"),
        ((("compound", "金鼎小区", "Jd"), ("part", "东区", "east"), ("building", "3栋", "B3")), "金鼎小区东区3栋"),
        ((("compound", "金鼎小区", "Jd"), ("building", " 3\n栋\u200b ", "B3")), "金鼎小区3 栋"),
        ((("compound", "金鼎小区", "Jd"), ("building", "  ", " "), ("room", "101", "101")), "金鼎小区101"),
    ],
)
def test_any_level_may_be_missing(levels: tuple[tuple[str, str, str], ...], zh: str) -> None:
    assert place_text(placed(*levels), "d").zh == zh


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("1201", "幺二零幺"),
        ("3栋", "三栋"),
        ("10层", "十层"),
        ("12层", "十二层"),
        ("20层", "二十层"),
        ("21号楼", "二十一号楼"),
        ("3#楼", "三号楼"),
        ("3-2-1201", "三杠二杠幺二零幺"),
        ("01室", "零幺室"),
        ("A座１２０１", "A座幺二零幺"),
        ("客厅(南)", "客厅南"),
        ("地下1层", "地下一层"),
        ("168号", "幺六八号"),
    ],
)
def test_numbers_are_said_the_way_people_say_them(name: str, said: str) -> None:
    assert say_zh(name) == said


def test_english_numbers() -> None:
    assert say_en("A1201") == "A 1 2 0 1"
    assert say_en("shop 12") == "shop 12"
    assert say_en("No. 168") == "number 1 6 8"


@pytest.mark.parametrize(
    ("name", "name_en", "place_id", "expected"),
    [
        ("3栋", "", "018f2b7c-9a01-7000-8000-000000000001", "bldg 3"),
        ("金鼎小区", "金鼎", "jinding", "jinding"),
        ("金鼎小区", "", "018f2b7c-9a01-7000-8000-00000000ab12", "bldg ab12"),
        ("金鼎小区", "Jīndǐng", "x", "Jinding"),
        ("金鼎小区", "", "", "bldg"),
    ],
)
def test_a_missing_latin_name_still_gives_a_word(name: str, name_en: str, place_id: str, expected: str) -> None:
    assert latin(Place(place_id, PlaceKind.BUILDING, name, name_en, ())) == expected


def test_the_point_is_that_of_the_deepest_place_that_has_one() -> None:
    city, compound, building, room = chain(
        ("city", "信阳市", "Xinyang"),
        ("compound", "金鼎小区", "Jd"),
        ("building", "3栋", "B3"),
        ("room", "101", "101"),
        points={"金鼎小区": (32.1285, 114.0412), "3栋": (32.1290, 114.0420), "101": (114.0, 32.0)},
    )
    text = place_text(Placement("d", "smoke_detector", (city, compound, building, room), None), "d")
    assert (text.lat, text.lon) == (32.1290, 114.0420)


@given(
    st.lists(st.tuples(st.sampled_from([kind.value for kind in PlaceKind]), st.text(max_size=64), st.text(max_size=32)))
)
def test_any_names_give_words(levels: list[tuple[str, str, str]]) -> None:
    text = place_text(placed(*levels), "smoke-0123")
    assert text.zh.strip()
    assert text.en.strip()
    assert is_gsm7(text.en)
    assert is_gsm7(text.spoken_en)
    assert text.spoken_zh
    assert text.spoken_en
    assert "\n" not in text.zh
