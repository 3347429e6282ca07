"""The shipped stories and the demonstration city hold together; a mistake in either is named by its key or row."""

import re
from collections import Counter

import phonenumbers
import pytest

from devices.model import Channel, Language, PersonKind, PlaceKind, Role
from devices.taxonomy import TAXONOMY
from simulators.city import City, CityError, generate_city, load_city, read_city
from simulators.city_file import CITY_FOLDER
from simulators.kinds import KINDS
from simulators.scenario import (
    SCENARIO_FOLDER,
    AppTaps,
    ScenarioError,
    load_scenario,
    read_scenario,
    scenario_names,
)

XINYANG = (CITY_FOLDER / "xinyang.toml").read_text(encoding="utf-8")
FLAT_FIRE = (SCENARIO_FOLDER / "flat_fire.toml").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def city() -> City:
    return load_city()


def changed(text: str, old: str, new: str) -> str:
    assert text.count(old) >= 1, old
    return text.replace(old, new, 1)


def test_the_five_stories_are_there_the_default_one_first() -> None:
    assert scenario_names() == ("flat_fire", "lift_ebike", "nobody_on_duty", "provider_outage", "shed_overheat")


@pytest.mark.parametrize("name", scenario_names())
def test_a_story_can_come_true(name: str, city: City) -> None:
    story = load_scenario(name)
    assert story.title
    assert story.title_en.isascii()
    taker = story.expect.taken_by
    assert taker is not None
    script = story.phones[taker]
    assert "1" in script.presses or script.app_taps is AppTaps.ACCEPT
    for message in story.expect.messages:
        assert city.person(message.recipient).contact(message.channel) is not None
    for event in story.events:
        assert event.code in KINDS[city.device(event.device).kind].codes


def test_the_flat_fire_pages_by_three_channels() -> None:
    pages = {m.channel for m in load_scenario().expect.messages if m.recipient == "worker-a"}
    assert pages == set(Channel)
    assert load_scenario().expect.nothing_else


WRONG_STORIES = {
    "not TOML": (FLAT_FIRE + "\n[", "not TOML"),
    "misspelt key": (changed(FLAT_FIRE, "presses =", "preses ="), "phones.preses"),
    "misspelt top key": (changed(FLAT_FIRE, "lasts_s", "last_s"), "last_s"),
    "misspelt expectation": (changed(FLAT_FIRE, ", within_s", ", withins"), "expect.messages.withins"),
    "missing key": (changed(FLAT_FIRE, 'title = "居民楼火警"', ""), "title"),
    "wrong type": (changed(FLAT_FIRE, "at_s = 0.0", 'at_s = "now"'), "events[0].at_s"),
    "wrong word": (changed(FLAT_FIRE, 'channel = "sms"', 'channel = "fax"'), "expect.messages[0].channel"),
    "unknown device": (changed(FLAT_FIRE, "1201-smoke", "9999-smoke"), "events[0].device"),
    "unknown city": (changed(FLAT_FIRE, '"xinyang"', '"atlantis"'), "city: there is no city 'atlantis'"),
    "unknown code": (changed(FLAT_FIRE, "fire.smoke", "fire.dragon"), "events[0].code"),
    "unknown person": (changed(FLAT_FIRE, "[phones.worker-a]", "[phones.worker-z]"), "phones.worker-z"),
    "unknown taker": (changed(FLAT_FIRE, 'taken_by = "worker-a"', 'taken_by = "x"'), "expect.taken_by"),
    "unknown recipient": (changed(FLAT_FIRE, 'recipient = "worker-a"', 'recipient = "x"'), "messages[0].recipient"),
    "too late": (changed(FLAT_FIRE, "within_s = 3.0 }", "within_s = 300.0 }"), "messages[0].within_s"),
    "no event": (re.sub(r"\[\[events\]\].*?\n\n", "", FLAT_FIRE, flags=re.DOTALL), "events"),
    "fault on the app": (
        FLAT_FIRE + '\n[[faults]]\nat_s = 0.0\nuntil_s = 1.0\nkind = "silence"\nchannel = "app"\n',
        "faults[0].channel",
    ),
    "fault backwards": (FLAT_FIRE + '\n[[faults]]\nat_s = 2.0\nuntil_s = 1.0\nkind = "silence"\n', "faults[0].until_s"),
}


@pytest.mark.parametrize("name", WRONG_STORIES)
def test_a_wrong_key_of_a_story_is_named(name: str) -> None:
    text, key = WRONG_STORIES[name]
    with pytest.raises(ScenarioError, match=re.escape(key)):
        read_scenario("story", text)


def test_an_unknown_story_or_city_is_named_with_what_there_is() -> None:
    with pytest.raises(ScenarioError, match=r"'soup'.*flat_fire"):
        load_scenario("soup")
    with pytest.raises(CityError, match=r"'atlantis'.*xinyang"):
        load_city("atlantis")


def test_the_demonstration_city_is_whole(city: City) -> None:
    names = {place.name for place in city.places}
    wanted = {"信阳市", "浉河区", "金牛山街道", "周家山社区", "金鼎社区", "3栋", "5号楼", "充电车棚", "电梯"}
    assert wanted <= names
    assert {place.kind for place in city.places} == set(PlaceKind)
    assert {device.kind for device in city.devices} == set(KINDS)
    assert len(city.devices) == 30
    assert {shift.role for shift in city.shifts} >= {
        Role.GRID_WORKER,
        Role.DEPUTY,
        Role.COMMUNITY_DUTY,
        Role.STREET_DUTY,
        Role.CONTROL_ROOM,
    }
    assert Language.EN in {person.language for person in city.people}
    assert PersonKind.DESK in {person.kind for person in city.people}
    assert all(place.lat and 32 < place.lat < 32.2 and place.lon and 114 < place.lon < 114.2 for place in city.places)


def test_a_kitchen_has_gas_and_heat_detectors_and_no_smoke_detector(city: City) -> None:
    kitchens = {place.id for place in city.places if place.name == "厨房"}
    kinds = {device.kind for device in city.devices if device.place_id in kitchens}
    assert kinds == {"gas_detector", "heat_detector"}


def test_one_grid_has_nobody_on_duty_and_the_next_step_has_somebody(city: City) -> None:
    staffed = {shift.grid_id for shift in city.shifts}
    empty = [grid for grid in city.grids if grid.id not in staffed]
    assert [grid.id for grid in empty] == ["zjs-g2"]
    duty = [shift for shift in city.shifts if shift.place_id == empty[0].community_id]
    assert [shift.role for shift in duty] == [Role.COMMUNITY_DUTY]


def test_no_demonstration_number_can_belong_to_anybody(city: City) -> None:
    numbers = {point.address for person in city.people for point in person.contacts if point.channel is Channel.SMS}
    assert len(numbers) == len(city.people)
    assert not any(phonenumbers.is_valid_number(phonenumbers.parse(number)) for number in numbers)


WRONG_CITIES = {
    "unknown table": (XINYANG + "\n[shops]\n", "shops"),
    "parent": (changed(XINYANG, 'parent = "xinyang"', 'parent = "x"'), "places row shihe: parent 'x'"),
    "kind": (changed(XINYANG, 'kind = "city"', 'kind = "planet"'), "places row 1 (xinyang)"),
    "level": (changed(XINYANG, 'kind = "unit", name = "1单元"', 'kind = "street", name = "x"'), "jd-hy-1-1: a street"),
    "point": (changed(XINYANG, "lat = 32.1470, ", ""), "places row xinyang: lat and lon"),
    "range": (changed(XINYANG, "lat = 32.1470", "lat = 99.0"), "places row xinyang: lat is"),
    "latin": (changed(XINYANG, 'name_en = "Shihe"', 'name_en = "浉河"'), "places row shihe: name_en"),
    "twice": (changed(XINYANG, '{ id = "shihe"', '{ id = "xinyang"'), "places row xinyang: this id"),
    "cover": (changed(XINYANG, 'covers = ["jd-hy"]', 'covers = ["nowhere"]'), "grids row jd-g1: place 'nowhere'"),
    "covered twice": (changed(XINYANG, 'covers = ["zjs-xf"]', 'covers = ["jd-hy"]'), "grids row zjs-g2"),
    "phone": (changed(XINYANG, "+8610000000001", "10086"), "people row worker-a: '10086'"),
    "same phone": (changed(XINYANG, "+8610000000002", "+8610000000001"), "people row worker-b"),
    "shift's person": (changed(XINYANG, 'person = "worker-a"', 'person = "x"'), "shifts row s-jd-g1-worker: person"),
    "shift's grid": (changed(XINYANG, 'grid = "jd-g1"', 'grid = "x"'), "shifts row s-jd-g1-worker: grid"),
    "device's place": (changed(XINYANG, 'place = "jd-hy-pump"', 'place = "x"'), "devices row jd-hy-pump-leak"),
    "device's kind": (changed(XINYANG, '"water_leak_sensor"', '"toaster"'), "devices row jd-hy-pump-leak: kind"),
    "unknown key": (changed(XINYANG, "app = true", "fax = true"), "people row 1 (worker-a)"),
}


@pytest.mark.parametrize("name", WRONG_CITIES)
def test_a_wrong_row_of_a_city_is_named(name: str) -> None:
    text, row = WRONG_CITIES[name]
    with pytest.raises(CityError, match=re.escape(row)):
        read_city(text)


def test_a_made_up_city_has_its_numbers_and_is_the_same_for_the_same_seed() -> None:
    made = generate_city(devices=500, buildings=50, workers=40, seed=7)
    assert made == generate_city(devices=500, buildings=50, workers=40, seed=7)
    assert made != generate_city(devices=500, buildings=50, workers=40, seed=8)
    kinds = Counter(place.kind for place in made.places)
    assert (len(made.devices), kinds[PlaceKind.BUILDING], len(made.grids)) == (500, 50, 40)
    covered = [place for grid in made.grids for place in grid.place_ids]
    assert sorted(covered) == sorted(place.id for place in made.places if place.kind is PlaceKind.BUILDING)


def test_a_made_up_city_leaves_nothing_hanging() -> None:
    made = generate_city(devices=100, buildings=230, workers=300, seed=1)
    seen: set[str] = set()
    for place in made.places:
        assert place.path[-1] == place.id
        assert set(place.path[:-1]) <= seen
        seen.add(place.id)
    people, grids = {person.id for person in made.people}, {grid.id for grid in made.grids}
    for shift in made.shifts:
        assert shift.person_id in people
        assert shift.grid_id is None or shift.grid_id in grids
        assert shift.place_id is None or shift.place_id in seen
    assert {device.place_id for device in made.devices} <= seen
    assert all(set(kind.codes) <= set(TAXONOMY) for kind in KINDS.values())
