"""Two compounds, a few models and a scoped installer, for the tests of devices over HTTP. Holds no test."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from alerting.ports import Priority
from api.permissions import Role
from devices.identities import luhn_digit
from devices.model import DeviceState
from devices.store import changes
from gengfu.clock import SystemClock
from tests.contract.api_support import Answer, Api


class TurnedClock(SystemClock):
    """The system's clock with its hands turned."""

    ahead = timedelta(0)

    def now(self) -> datetime:
        return super().now() + self.ahead


@dataclass
class City:
    """Place codes are ids' stand-ins: `jd` holds building jd-3 with flats jd-301 and jd-302; `yg` is elsewhere."""

    api: Api
    ids: dict[str, str] = field(default_factory=dict)
    mine: str = ""
    """Key of an installer bound to `jd`."""

    async def post(self, path: str, body: Any, key: str | None = None, **headers: str) -> Answer:
        return await self.api.call("POST", path, body, key=key, role=Role.ADMINISTRATOR, **headers)

    async def made(self, path: str, body: Any, key: str | None = None) -> Any:
        answer = await self.post(path, body, key)
        assert answer.status == 201, answer.text
        return answer.body

    async def get(self, path: str, key: str | None = None) -> Any:
        answer = await self.api.call("GET", path, key=key)
        assert answer.status == 200, answer.text
        return answer.body


def imei(number: int) -> str:
    """One of many valid IMEIs."""
    body = f"86123456{number:06d}"
    return body + luhn_digit(body)


async def build(api: Api) -> City:
    city = City(api)
    for code, kind, name, parent in (
        ("xy", "city", "信阳市", None),
        ("jd", "compound", "金鼎小区", "xy"),
        ("jd-3", "building", "3栋", "jd"),
        ("jd-301", "room", "301", "jd-3"),
        ("jd-302", "room", "302", "jd-3"),
        ("shed", "part", "车棚", "jd"),
        ("yg", "compound", "阳光花园", "xy"),
        ("yg-101", "room", "101", "yg"),
    ):
        body: dict[str, Any] = {"kind": kind, "name": name, "code": code, "parent_id": parent}
        city.ids[code] = (await city.made("/places", body))["id"]
    for model in (
        {"code": "smoke-nb", "maker": "Maker", "model": "S1", "kind": "smoke_detector", "supervision_window_s": 86_400},
        {"code": "lora", "maker": "Maker", "model": "L1", "kind": "smoke_detector", "dialect": "chirpstack"},
        {"code": "station", "maker": "Maker", "model": "C4", "kind": "charging_station", "ports": 4, "walk_test_s": 60},
    ):
        await city.made("/models", model)
    city.mine = await api.key(Role.INSTALLER, place_id=city.ids["jd"])
    return city


def faults(answer: Answer) -> list[tuple[int, str, str]]:
    """Status, field and code of every error."""
    assert "errors" in answer.body, answer.text
    return [(answer.status, error["pointer"], error["code"]) for error in answer.body["errors"]]


async def commission(city: City, device_id: str) -> None:
    """As a passed walk test does it."""
    now = city.api.deps.clock.now()
    done = await city.api.database.write(
        Priority.ADMINISTRATION, lambda conn: changes.set_state(conn, device_id, DeviceState.COMMISSIONED, now)
    )
    assert done
