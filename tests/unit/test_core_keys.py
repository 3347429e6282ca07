"""Dedup keys: what they say, that what is written is read again, and where a signal of a person goes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.core.keys import Anchor, DedupKey, key_of, key_version, parse
from devices.resolve import place_by_id
from devices.taxonomy import TAXONOMY
from tests.unit.builders import a_registry

IDS = st.from_regex(r"[A-Za-z0-9_-]{4,64}", fullmatch=True)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("v1:fire:b3", DedupKey("fire", Anchor.BUILDING, "b3")),
        ("v1:gas:unplaced:ghost-1", DedupKey("gas", Anchor.UNPLACED, "ghost-1")),
        ("v1:water.leak:smoke-1201", DedupKey("water.leak", Anchor.DEVICE, "smoke-1201")),
        ("v1:lane.blocked:place:shed", DedupKey("lane.blocked", Anchor.PLACE, "shed")),
        ("v2:fire:b3", DedupKey("fire", Anchor.BUILDING, "b3", version=2)),
    ],
)
def test_keys_read_like_this(text: str, key: DedupKey) -> None:
    assert parse(text) == key
    assert str(key) == text


@pytest.mark.parametrize("text", ["", "fire:b3", "v1", "v1:", "v1:fire", "v1:fire:", "vx:fire:b3", "1:fire:b3"])
def test_what_is_no_key_is_said_to_be_none(text: str) -> None:
    with pytest.raises(ValueError, match="no dedup key"):
        parse(text)


@given(code=st.sampled_from(sorted(TAXONOMY)), device=IDS, where=st.sampled_from(["", "b3", "r1201", "shed", "gone"]))
def test_every_key_that_is_made_is_read_again(code: str, device: str, where: str) -> None:
    placement = place_by_id(a_registry(), where) if where else None
    for device_id in (device, ""):
        key = key_of(TAXONOMY[code], placement, device_id, where or "said")
        assert parse(str(key)) == key
        assert key.version == key_version
        assert len(str(key)) <= 192, "as the column holds it"


@pytest.mark.parametrize(
    ("code", "place", "key"),
    [
        ("fire.smoke", "r1201", "v1:fire:b3"),
        ("fire.smoke", "b3", "v1:fire:b3"),
        ("gas.co", "shed", "v1:gas:shed"),
        ("fire.smoke", "compound", "v1:fire:compound"),
        ("person.sos", "r1201", "v1:person.sos:place:r1201"),
        ("lane.blocked", "compound", "v1:lane.blocked:place:compound"),
        ("fire.smoke", "gone", "v1:fire:unplaced:gone"),
        ("lane.blocked", "gone", "v1:lane.blocked:unplaced:gone"),
    ],
)
def test_what_a_person_tells_goes_by_place(code: str, place: str, key: str) -> None:
    assert str(key_of(TAXONOMY[code], place_by_id(a_registry(), place), "", place)) == key
