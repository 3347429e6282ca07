"""One made-up WeCom company for tests: its secrets, its emulator, submissions and what they show. Never a real one."""

import json
from collections.abc import Callable
from datetime import datetime

from alerting.channels.providers.wecom_settings import WecomSettings
from simulators.phone import Behaviour
from simulators.wecom import WecomEmulator
from simulators.wecom.sealing import Seal

corp_id = "ww1234567890abcdef"
agent_id = 1_000_002
secret = "app-secret-that-stays-secret"
token = "callback-token"
encoding_aes_key = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
seal = Seal(token, encoding_aes_key, corp_id)


def settings_for(base_url: str) -> WecomSettings:
    return WecomSettings(
        corp_id=corp_id,
        agent_id=agent_id,
        secret=secret,
        token=token,
        encoding_aes_key=encoding_aes_key,
        base_url=base_url,
    )


def company(clock: Callable[[], datetime], behaviour: Behaviour | None = None, **options: object) -> WecomEmulator:
    return WecomEmulator(
        corp_id=corp_id,
        agent_id=agent_id,
        secret=secret,
        seal=seal,
        clock=clock,
        default_behaviour=behaviour,
        **options,  # type: ignore[arg-type]
    )


def page(n: int = 0, *, asks: bool = True, **changed: object) -> str:
    """An `AppMessage` as a submission carries it."""
    message = {
        "title": f"火警：金鼎小区{n}栋2单元1201室厨房",
        "body": "烟感报警，03:12。请确认是否前往。确认起火立即拨打119。编号K7F3P",
        "hazard": "fire.smoke",
        "severity": 1,
        "place": f"金鼎小区{n}栋2单元1201室厨房",
        "at": "2026-03-04T03:12:00+08:00",
        "reference": "K7F3P",
        "map_url": "https://uri.amap.com/marker?position=116.1,39.9",
        "incident_id": "incident-1",
        "purpose": "page" if asks else "update",
        "actions": ["accept", "decline"] if asks else [],
    }
    return json.dumps(message | changed, ensure_ascii=False)
