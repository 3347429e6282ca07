"""Places over HTTP, on both databases: what may stand where, what keeps a place from being removed, gaps, pictures."""

import asyncio
import hashlib
import io
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from api.permissions import Role
from devices.images import bytes_max
from tests.contract.api_support import Answer, Api, running_api
from tests.unit.test_images import jpeg, lossy, png


@pytest_asyncio.fixture
async def api(migrated_url: str) -> AsyncIterator[Api]:
    async with running_api(migrated_url) as running:
        yield running


async def made(api: Api, path: str, body: dict[str, Any], **options: Any) -> Any:
    answer = await api.call("POST", path, body, **options)
    assert answer.status == 201, answer.text
    return answer.body


def at_field(answer: Answer) -> tuple[int, str, str]:
    (error,) = answer.body["errors"]
    return answer.status, error["pointer"], error["code"]


@dataclass(frozen=True, slots=True)
class Town:
    """Two streets, one compound with two buildings and their rooms; ids by code."""

    api: Api
    ids: dict[str, str]

    async def scoped(self, role: Role, code: str) -> str:
        return await self.api.key(role, place_id=self.ids[code])


TOWN = (
    ("xy", "city", "信阳市", None),
    ("jns", "street", "金牛山街道", "xy"),
    ("wx", "street", "五星街道", "xy"),
    ("jd", "compound", "金鼎小区", "jns"),
    ("jd-1", "building", "1栋", "jd"),
    ("jd-2", "building", "2栋", "jd"),
    ("jd-1-101", "room", "101", "jd-1"),
    ("jd-2-101", "room", "101", "jd-2"),
    ("wx-1", "compound", "阳光花园", "wx"),
)


async def build(api: Api) -> Town:
    ids: dict[str, str] = {}
    for code, kind, name, parent in TOWN:
        body = {"kind": kind, "name": name, "code": code, "parent_id": parent}
        ids[code] = (await made(api, "/places", body))["id"]
    return Town(api, ids)


@pytest_asyncio.fixture
async def town(api: Api) -> Town:
    return await build(api)


@pytest.mark.parametrize(
    ("kind", "parent", "said"),
    [
        ("community", "jd", "社区不能设在小区之下"),
        ("building", "jd-1", "楼栋不能设在楼栋之下"),
        ("building", "jd-1-101", "楼栋不能设在房间之下"),
    ],
)
async def test_a_place_stands_below_a_larger_one(town: Town, kind: str, parent: str, said: str) -> None:
    answer = await town.api.call("POST", "/places", {"kind": kind, "name": "新", "parent_id": parent})
    assert at_field(answer) == (422, "#/parent_id", "parent_kind")
    assert answer.body["errors"][0]["message"].startswith(said)


async def test_levels_may_be_left_out_and_a_part_stands_anywhere(town: Town) -> None:
    for parent in ("xy", "jns", "jd", "jd-1", "jd-1-101"):
        part = await made(town.api, "/places", {"kind": "part", "name": "电梯", "parent_id": parent})
    await made(town.api, "/places", {"kind": "part", "name": "井道", "parent_id": part["id"]})
    await made(town.api, "/places", {"kind": "room", "name": "门卫", "parent_id": "jns"})
    below_part = await town.api.call("POST", "/places", {"kind": "room", "name": "x", "parent_id": part["id"]})
    assert at_field(below_part) == (422, "#/parent_id", "parent_kind")


async def test_a_place_cannot_become_smaller_than_what_it_holds(town: Town) -> None:
    path = f"/places/{town.ids['jd']}"
    answer = await town.api.call("PATCH", path, {"kind": "unit"}, If_Match="*", Accept_Language="en")
    assert at_field(answer) == (422, "#/kind", "child_kind")
    assert "building below it, so it cannot be a unit" in answer.body["errors"][0]["message"]
    moved = await town.api.call("PATCH", path, {"parent_id": "jd-2-101"}, If_Match="*")
    assert at_field(moved) == (409, "#/parent_id", "own_descendant")
    assert (await town.api.call("PATCH", path, {"kind": "community"}, If_Match="*")).status == 200


async def test_one_parent_has_one_child_of_a_kind_and_name(town: Town) -> None:
    again = {"kind": "building", "name": "1栋", "parent_id": "jd"}
    answer = await town.api.call("POST", "/places", again)
    assert at_field(answer) == (409, "#/name", "sibling")
    assert "jd-1" in answer.body["errors"][0]["message"]
    renamed = await town.api.call("PATCH", f"/places/{town.ids['jd-2']}", {"name": "1栋"}, If_Match="*")
    assert at_field(renamed) == (409, "#/name", "sibling")
    assert at_field(await town.api.call("POST", "/places", {"kind": "city", "name": "信阳市"}))[2] == "sibling"
    await made(town.api, "/places", again | {"kind": "part"})
    await made(town.api, "/places", again | {"parent_id": "wx-1"})
    unchanged = await town.api.call("PATCH", f"/places/{town.ids['jd-1']}", {"lat": 32.1, "lon": 114.0}, If_Match="*")
    assert unchanged.status == 200


async def test_names_are_kept_as_they_are_written(town: Town) -> None:
    for name in ("3栋", "3号楼", "３＃楼", "B3 (南)"):
        assert (await made(town.api, "/places", {"kind": "building", "name": name, "parent_id": "jd"}))["name"] == name


async def test_a_part_of_the_tree(town: Town) -> None:
    def codes(answer: Answer) -> set[str]:
        return {item["code"] for item in answer.body["items"]}

    assert codes(await town.api.call("GET", "/places?under=jns")) == {
        "jns",
        "jd",
        "jd-1",
        "jd-2",
        "jd-1-101",
        "jd-2-101",
    }
    assert codes(await town.api.call("GET", "/places?under=jns&kind=room")) == {"jd-1-101", "jd-2-101"}
    assert at_field(await town.api.call("GET", "/places?under=none")) == (422, "?under", "unknown_reference")
    key = await town.scoped(Role.VIEWER, "wx")
    assert codes(await town.api.call("GET", "/places", key=key)) == {"wx", "wx-1"}
    assert at_field(await town.api.call("GET", "/places?under=jd", key=key))[2] == "unknown_reference"


async def test_who_is_bound_to_a_street_may_rename_it_but_not_hang_it_elsewhere(town: Town) -> None:
    key, path = await town.scoped(Role.ROSTER_PLANNER, "jns"), f"/places/{town.ids['jns']}"
    assert (await town.api.call("PATCH", path, {"name": "金牛山"}, key=key, If_Match="*")).status == 200
    answer = await town.api.call("PATCH", path, {"parent_id": "wx"}, key=key, If_Match="*")
    assert at_field(answer) == (422, "#/parent_id", "unknown_reference")
    outside = await town.api.call("POST", "/places", {"kind": "room", "name": "x", "parent_id": "wx-1"}, key=key)
    assert at_field(outside) == (422, "#/parent_id", "unknown_reference")
    assert (await town.api.call("DELETE", f"/places/{town.ids['wx-1']}", key=key, If_Match="*")).status == 404


async def test_an_empty_place_goes_and_what_stands_on_it_keeps_it(town: Town) -> None:
    api, ids = town.api, town.ids
    await made(api, "/devices", {"id": "smoke-0001", "kind": "smoke_detector", "place_id": "jd"})
    await made(api, "/grids", {"code": "g1", "name": "一网格", "place_ids": ["jd"]})
    await made(api, "/workers", {"code": "jia", "name": "网格员甲", "place_id": "jd"})
    await made(api, "/shifts", {"role": "community_duty", "person_id": "jia", "place_id": "jd"})
    await api.incident(place_id=ids["jd"])
    await api.key(Role.VIEWER, place_id=ids["jd"])
    answer = await api.call("DELETE", f"/places/{ids['jd']}", If_Match="*")
    codes = {error["code"] for error in answer.body["errors"]}
    assert (answer.status, codes) == (
        409,
        {"has_children", "has_devices", "has_grids", "has_people", "has_duty", "has_history", "has_rights"},
    )
    assert "2 个地点" in answer.text
    assert (await api.call("DELETE", f"/places/{ids['jd-1-101']}")).status == 428
    gone = await api.call("DELETE", f"/places/{ids['jd-1-101']}", If_Match='"1"')
    assert (gone.status, gone.text) == (204, "")
    assert (await api.call("GET", f"/places/{ids['jd-1-101']}")).status == 404
    assert (await api.call("DELETE", f"/places/{ids['jd-1']}", If_Match="*")).status == 204


async def test_a_place_takes_its_pictures_and_its_profile_along(town: Town) -> None:
    api, ids = town.api, town.ids
    await put_picture(api, f"{ids['wx-1']}/pictures/plan", png(10, 10), "image/png")
    profile = await api.call("PUT", f"/compounds/{ids['wx-1']}", {"committee": "none"}, If_Match="*")
    assert profile.status == 200
    assert (await api.call("DELETE", f"/places/{ids['wx-1']}", If_Match="*")).status == 204
    assert (await api.call("GET", f"/compounds/{ids['wx-1']}")).status == 404


async def test_what_no_grid_covers(town: Town) -> None:
    api, ids = town.api, town.ids
    whole = (await api.call("GET", f"/places/{ids['xy']}/gaps")).body["items"]
    assert [(gap["place_id"], gap["rooms"], gap["whole"]) for gap in whole] == [(ids["xy"], 2, True)]
    await made(api, "/grids", {"code": "g1", "name": "一网格", "place_ids": ["jd-1"]})
    await made(api, "/devices", {"id": "gate-0001", "kind": "camera", "place_id": "jd"})
    found: dict[str, Any] = {}
    cursor = ""
    while True:
        answer = (await api.call("GET", f"/places/{ids['xy']}/gaps?limit=1{cursor}")).body
        found |= {gap["place_id"]: (gap["rooms"], gap["devices"], gap["whole"]) for gap in answer["items"]}
        if answer["next"] is None:
            break
        cursor = f"&cursor={answer['next']}"
    assert found == {ids["jd"]: (0, 1, False), ids["jd-2"]: (1, 0, True), ids["wx"]: (0, 0, True)}
    assert (await api.call("GET", f"/places/{ids['jd-1']}/gaps")).body == {"items": [], "next": None}
    key = await town.scoped(Role.VIEWER, "wx")
    assert (await api.call("GET", f"/places/{ids['jd']}/gaps", key=key)).status == 404


async def put_picture(
    api: Api, path: str, content: bytes, media_type: str, key: str | None = None, **headers: str
) -> Answer:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    sent |= {"Authorization": f"Bearer {key or await api.token(Role.INSTALLER)}", "Content-Type": media_type}
    url = f"{api.base_url}/api/v1/places/{path}"
    async with api.session.put(url, data=io.BytesIO(content), headers=sent) as response:
        text = await response.text()
        return Answer(response.status, response.headers, await response.json(content_type=None), text)


async def get_picture(api: Api, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    sent["Authorization"] = f"Bearer {await api.token(Role.VIEWER)}"
    async with api.session.get(f"{api.base_url}/api/v1/places/{path}", headers=sent) as response:
        return response.status, {name.lower(): value for name, value in response.headers.items()}, await response.read()


async def test_a_picture_comes_back_as_it_was_handed_in(town: Town) -> None:
    api, path = town.api, f"{town.ids['jd']}/pictures/plan"
    assert (await get_picture(api, path))[0] == 404
    first = await put_picture(api, path, png(640, 480), "image/png")
    tag = f'"{hashlib.sha256(png(640, 480)).hexdigest()}"'
    assert (first.status, first.headers["etag"]) == (201, tag)
    assert (first.body["width"], first.body["height"], first.body["media_type"]) == (640, 480, "image/png")
    status, headers, content = await get_picture(api, path)
    assert (status, content, headers["etag"]) == (200, png(640, 480), tag)
    assert headers["content-type"] == "image/png"
    assert headers["content-disposition"] == 'inline; filename="plan.png"'
    assert headers["x-content-type-options"] == "nosniff"
    assert (await get_picture(api, path, If_None_Match=tag))[::2] == (304, b"")
    assert (await api.call("GET", f"/places/{town.ids['jd']}")).body["pictures"] == ["plan"]
    assert (await put_picture(api, path, jpeg(5, 5), "image/jpeg")).status == 428
    assert (await put_picture(api, path, jpeg(5, 5), "image/jpeg", If_Match='"other"')).status == 412
    assert (await put_picture(api, path, jpeg(5, 5), "image/jpeg", If_Match=tag)).status == 200
    door = f"{town.ids['jd']}/pictures/door"
    assert (await put_picture(api, door, lossy(9, 9), "image/webp; q=1")).status == 201
    listed = (await api.call("GET", "/places?kind=compound")).body["items"]
    assert {item["code"]: item["pictures"] for item in listed} == {"jd": ["door", "plan"], "wx-1": []}
    assert (await api.call("DELETE", f"/places/{path}")).status == 428
    assert (await api.call("DELETE", f"/places/{path}", If_Match="*")).status == 204
    assert (await api.call("DELETE", f"/places/{path}", If_Match="*")).status == 404
    assert (await api.call("GET", f"/places/{town.ids['jd']}")).body["pictures"] == ["door"]


async def test_a_picture_that_is_none_is_refused(town: Town) -> None:
    api, path = town.api, f"{town.ids['jd']}/pictures/plan"
    assert at_field(await put_picture(api, path, png(5, 5), "image/jpeg")) == (422, "Content-Type", "media_type")
    assert at_field(await put_picture(api, path, b"<svg/>", "image/svg+xml"))[2] == "not_an_image"
    assert at_field(await put_picture(api, path, b"", "image/png"))[2] == "not_an_image"
    assert at_field(await put_picture(api, path, png(9000, 1), "image/png"))[2] == "image_size"
    large = await put_picture(api, path, png(5, 5) + b"\0" * bytes_max, "image/png")
    assert large.status == 413
    full = png(5, 5).ljust(bytes_max, b"\0")
    assert (await put_picture(api, path, full, "image/png")).status == 201
    assert (await put_picture(api, f"{town.ids['jd']}/pictures/face", png(5, 5), "image/png")).status == 422
    key = await town.scoped(Role.INSTALLER, "wx")
    assert (await put_picture(api, path, png(5, 5), "image/png", key, If_Match="*")).status == 404
    assert (await put_picture(api, "none/pictures/plan", png(5, 5), "image/png")).status == 404


async def test_a_second_place_of_the_same_name_is_refused_though_both_come_at_once(town: Town) -> None:
    body = {"kind": "building", "name": "9栋", "parent_id": "jd"}
    answers = await asyncio.gather(*(town.api.call("POST", "/places", body) for _ in range(8)))
    assert [answer.status for answer in answers].count(201) == 1
    listed = (await town.api.call("GET", "/places?parent_id=jd")).body["items"]
    assert [item["name"] for item in listed].count("9栋") == 1
