"""Two districts that are built alike and have nothing in common, each with one of everything; it holds no test.

Whatever belongs to one side is recognisable in any text: its ids are kept, its codes begin alike, its names are marked.
"""

import struct
import zlib
from dataclasses import dataclass, field
from typing import Any

from alerting.ports import Priority
from alerting.store.tables_photos import incident_photos
from alerting.store.tables_readiness import self_tests
from api.permissions import Role
from devices.store import quarantine
from devices.store.quarantine import QuarantineRow
from tests.contract.access_support import PASSWORD
from tests.contract.api_support import Answer, Api

UNTIL = "2099-05-01T00:00:00+08:00"
NUMBERS = {"jiaqu": "13800138001", "yiqu": "13800138002"}


def sides() -> "tuple[Side, Side]":
    """Codes hold letters that no UUID has."""
    return Side("jiaqu", "甲字号"), Side("yiqu", "乙字号")


def png() -> bytes:
    """One black pixel."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0\0")) + chunk(b"IEND", b"")


@dataclass
class Side:
    """One district. `ids`: what each kind of thing is called in an address; `codes`: how bodies may name it."""

    prefix: str
    mark: str
    ids: dict[str, str] = field(default_factory=dict)

    def name(self, thing: str) -> str:
        return f"{self.mark}{thing}"

    def code(self, thing: str) -> str:
        return f"{self.prefix}-{thing}"

    def words(self) -> set[str]:
        """What betrays this side."""
        return {self.mark, f"{self.prefix}-", NUMBERS[self.prefix], *self.ids.values()}

    def references(self) -> set[str]:
        """All by which a body may name something that exists."""
        return {*self.ids.values(), *(self.code(thing) for thing in self.ids)}


def made(answer: Answer) -> Any:
    assert answer.status in (200, 201), answer.text
    return answer.body


async def send_picture(api: Api, method: str, path: str, key: str, **headers: str) -> Answer:
    """`Api.call` sends JSON; a picture is bytes."""
    sent = {"Authorization": f"Bearer {key}", "Content-Type": "image/png"}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    async with api.session.request(method, api.base_url + path, data=png(), headers=sent) as response:
        text = await response.text(errors="replace")
        is_json = "json" in response.content_type
        return Answer(
            response.status, response.headers, await response.json(content_type=None) if is_json else None, text
        )


async def build(api: Api, side: Side, city: str) -> Side:
    """Everything below one district of the city."""
    await _places(api, side, city)
    await _people(api, side)
    await _roster(api, side)
    await _devices(api, side)
    await _rights(api, side)
    await _drills(api, side)
    await _happenings(api, side)
    return side


async def _places(api: Api, side: Side, city: str) -> None:
    above = city
    for kind in ("district", "street", "community", "compound", "building", "room"):
        body = {"kind": kind, "name": side.name(kind), "code": side.code(kind), "parent_id": above}
        above = side.ids[kind] = made(await api.call("POST", "/places", body))["id"]
    for label in ("spare", "spare-2"):
        spare = {"kind": "part", "name": side.name(label), "parent_id": side.code("compound"), "code": side.code(label)}
        side.ids[label] = made(await api.call("POST", "/places", spare))["id"]
    side.ids["places"], side.ids["compounds"], side.ids["flats"] = (
        side.ids[kind] for kind in ("building", "compound", "room")
    )
    compound = {"type": "old", "committee": "none"}
    made(await api.call("PUT", f"/compounds/{side.ids['compound']}", compound, If_Match="*"))
    made(await api.call("PUT", f"/flats/{side.ids['room']}", {"status": "refused", "note": side.name("备注")}))
    key = await api.token(Role.ADMINISTRATOR)
    made(await send_picture(api, "PUT", f"/api/v1/places/{side.ids['building']}/pictures/door", key))


async def _people(api: Api, side: Side) -> None:
    for label in ("worker", "deputy"):
        body = {"code": side.code(label), "name": side.name(label), "place_id": side.code("community")}
        side.ids[label] = made(await api.call("POST", "/workers", body))["id"]
    side.ids["workers"] = side.ids["worker"]
    contacts = f"/workers/{side.ids['worker']}/contacts"
    number = NUMBERS[side.prefix]
    side.ids["contact"] = made(await api.call("POST", contacts, {"channel": "sms", "address": number}))["id"]
    work_app = {"carrier": "wecom", "user_id": side.code("wecom")}
    subscriptions = f"/workers/{side.ids['worker']}/subscriptions"
    side.ids["subscription"] = made(await api.call("POST", subscriptions, work_app))["id"]
    day = {"day": "2026-11-27", "sent_at": api.deps.clock.now()}
    await api.insert(self_tests, person_id=side.ids["worker"], test_id=side.code("tap"), **day)
    household = {
        "place_id": side.code("room"),
        "name": side.name("住户"),
        "relation": "owner",
        "phone": number,
        "consent_at": "2025-05-01T08:00:00+08:00",
        "consent_until": UNTIL,
        "consent_how": "paper",
    }
    side.ids["households"] = made(await api.call("POST", "/households", household))["id"]


async def _roster(api: Api, side: Side) -> None:
    grid = {
        "code": side.code("grid"),
        "name": side.name("网格"),
        "community_id": side.code("community"),
        "place_ids": [side.code("building")],
        "workers": [side.code("worker")],
    }
    side.ids["grids"] = side.ids["grid"] = made(await api.call("POST", "/grids", grid))["id"]
    for noun in ROSTER:
        side.ids[noun] = made(await api.call("POST", f"/{noun}", roster_body(noun, side)))["id"]


ROSTER = ("shifts", "patterns", "overrides", "leaves")


def roster_body(noun: str, side: Side, year: int = 2027) -> dict[str, Any]:
    """A body of POST for one of the nouns of the roster."""
    period = {"starts_at": f"{year}-05-01T08:00:00+08:00", "ends_at": f"{year}-05-02T08:00:00+08:00"}
    grid, worker, deputy = side.code("grid"), side.code("worker"), side.code("deputy")
    slot = {"day": 0, "from": "08:00", "to": "20:00", "person_id": worker}
    bodies: dict[str, dict[str, Any]] = {
        "shifts": {"role": "deputy", "person_id": deputy, "grid_id": grid},
        "patterns": {
            "name": side.name("轮班"),
            "grid_id": grid,
            "first_day": f"{year}-01-04",
            "last_day": f"{year}-01-31",
            "cycle_days": 7,
            "slots": [slot],
        },
        "overrides": {"grid_id": grid, "person_id": worker, "replaces_id": deputy, "note": side.name("备注"), **period},
        "leaves": {"person_id": deputy, "note": side.name("备注"), **period},
    }
    return bodies[noun]


async def _devices(api: Api, side: Side) -> None:
    for label in ("smoke-1", "smoke-2", "smoke-3", "smoke-4"):
        body = {"id": side.code(label), "kind": "smoke_detector", "place_id": side.code("room"), "state": "installed"}
        side.ids[label] = made(await api.call("POST", "/devices", body))["id"]
    side.ids["devices"] = side.ids["smoke-1"]
    made(await api.call("POST", "/labels", {"device_ids": [side.code("smoke-1")]}))
    made(await api.call("POST", f"/devices/{side.ids['smoke-1']}/credential"))
    made(await api.call("POST", f"/devices/{side.ids['smoke-1']}/walk-test", {}))
    session = {"device_ids": [side.code("smoke-2")], "minutes": 60}
    side.ids["test-sessions"] = made(await api.call("POST", "/test-sessions", session))["id"]
    window = {"device_id": side.code("smoke-3"), "hours": 1, "reason": side.name("检修")}
    side.ids["maintenance-windows"] = made(await api.call("POST", "/maintenance-windows", window))["id"]
    row = QuarantineRow(
        f"gengfu/v1/{side.code('smoke-1')}/up/event",
        side.code("smoke-1"),
        "unreadable",
        side.name("详情"),
        (side.prefix * 16)[:64],
        side.name("内容").encode(),
    )
    now = api.deps.clock.now()
    await api.database.write(Priority.ADMINISTRATION, lambda conn: quarantine.add(conn, [row], now))


async def _drills(api: Api, side: Side) -> None:
    """A drill that runs, and a second grid whose people may be exercised; there is no alarm yet."""
    place = {
        "kind": "part",
        "name": side.name("ground"),
        "parent_id": side.code("compound"),
        "code": side.code("ground-place"),
    }
    side.ids["ground-place"] = made(await api.call("POST", "/places", place))["id"]
    grid = {
        "code": side.code("ground"),
        "name": side.name("ground"),
        "community_id": side.code("community"),
        "place_ids": [side.code("ground-place")],
    }
    side.ids["ground"] = made(await api.call("POST", "/grids", grid))["id"]
    drill = made(await api.call("POST", "/drills", {"grid": side.code("grid"), "note": side.name("演练")}))
    side.ids["drills"] = drill["id"]
    side.ids["drill-incident"] = drill["incident_id"]


async def _rights(api: Api, side: Side) -> None:
    place = side.code("street")
    key = {"name": side.code("key"), "role": "viewer", "place_id": place}
    side.ids["api-keys"] = made(await api.call("POST", "/api-keys", key))["id"]
    user = {
        "login": side.code("user"),
        "name": side.name("值班员"),
        "password": PASSWORD,
        "grants": [{"role": "viewer", "place_id": place}],
    }
    side.ids["users"] = made(await api.call("POST", "/users", user))["id"]
    policy = {
        "match": {"places": [side.code("street")]},
        "steps": [{"after_s": 0, "to": ["grid_worker"], "channels": ["sms"]}],
        "loop": {"every_s": 60, "to": ["control_room"]},
    }
    made(await api.call("PUT", f"/policies/{side.code('policy')}", policy))
    side.ids["policies"] = side.code("policy")


async def _happenings(api: Api, side: Side) -> None:
    fire = await api.incident(
        place_id=side.ids["room"],
        grid_id=side.ids["grid"],
        device_id=side.ids["smoke-1"],
        place_text={"zh": side.name("小区"), "en": side.code("place")},
    )
    side.ids["incidents"] = fire
    await api.incident(  # a work order
        place_id=side.ids["room"],
        grid_id=side.ids["grid"],
        device_id=side.ids["smoke-1"],
        place_text={"zh": side.name("小区"), "en": side.code("place")},
        code="device.low_battery",
        cls="T",
        severity=3,
        dedup_key=f"v1:device.low_battery:{side.ids['smoke-1']}",
    )
    side.ids["notifications"] = await api.page(fire, side.ids["worker"], text=side.name("火警"))
    await _photo(api, side, fire)
    await api.entry(fire)
    await api.entry(fire, "work")
    wired = f"/devices/{side.ids['smoke-1']}"
    made(await api.call("PUT", f"{wired}/actions", {"cut_power": {"declared": True, "permitted": True}}))
    command = {"action": "cut_power", "reason": side.name("断电"), "incident": fire}
    asked = await api.call("POST", f"{wired}/commands", command)
    assert asked.status == 202, asked.text
    side.ids["commands"] = asked.body["id"]


async def _photo(api: Api, side: Side, fire: str) -> None:
    side.ids["photo"] = api.deps.ids.uuid7()
    values = {"id": side.ids["photo"], "incident_id": fire, "media_type": "image/png", "width": 1, "height": 1}
    told = {"sha256": (side.prefix * 16)[:64], "content": side.name("照片").encode(), "by": side.code("worker")}
    await api.insert(incident_photos, **values, **told, taken_at=api.deps.clock.now())
