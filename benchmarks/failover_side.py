"""A child process: the shipped application on SQLite with two carriers for texts and calls. Never measures."""

import asyncio
import logging
import time
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, and_, or_, select

from alerting.carriers import Carriers
from alerting.channels.base import ChannelProvider
from alerting.channels.providers import twilio
from alerting.channels.providers.twilio_settings import TwilioSettings
from alerting.core.model import AttemptState
from alerting.ports import Priority
from alerting.store import policy_rows
from alerting.store.policy_rows import PolicyRow
from alerting.store.tables import attempts, notifications
from benchmarks.child import Answer, Handler, serve
from benchmarks.failover_carriers import FIRST, SECOND, account_sid, auth_token
from benchmarks.failover_cases import ALIYUN
from benchmarks.numbering import phone_number
from devices.model import Channel
from gateway import GatewaySettings
from gengfu.application import AppConfig, Application
from gengfu.broker.child import free_port
from gengfu.clock import RandomIds, SystemClock
from tests.support import aliyun

PHONES = (Channel.SMS, Channel.VOICE)
from_number = "+15005550006"
ready_seconds_max = 30.0
calls_per_second = 1000.0
"""An account's own limit would send calls to the other carrier without any fault."""
STEPS = ("grid_worker", "deputy", "community_duty")
LADDER: dict[str, Any] = {
    "steps": [
        {"after_s": 300 * number, "to": [role], "channels": ["sms", "voice"]} for number, role in enumerate(STEPS)
    ],
    "loop": {"every_s": 600, "to": ["control_room"]},
}
"""Nobody else is asked during the run."""
_clock, _ids = SystemClock(), RandomIds()


class TwoTwilios(Application):
    """`twilio` first, then `second`: the same account at another house, with a name of its own."""

    second: dict[Channel, ChannelProvider]

    def _carriers(self) -> Carriers:
        first = super()._carriers()
        phones = {channel: (*first.of(channel), self.second[channel]) for channel in PHONES}
        return Carriers({**phones, Channel.APP: first.of(Channel.APP)})


class _Side:
    def __init__(self) -> None:
        self._stack = AsyncExitStack()
        self._app: Application | None = None

    async def port(self, question: Answer) -> Answer:
        """Where the carriers shall call back."""
        return {"port": free_port()}

    async def start(self, question: Answer) -> Answer:
        """Alarms are received when this has answered. What the service logs lies in `folder`."""
        logging.basicConfig(filename=Path(question["folder"]) / "log", level=logging.WARNING, force=True)
        first, second, public_url = question["urls"][FIRST], question["urls"][SECOND], question["public_url"]
        both_twilio = question["first"] != ALIYUN
        behind = _twilio(second, public_url)
        vendors: dict[str, object] = {"twilio": _twilio(first, public_url) if both_twilio else behind}
        if not both_twilio:
            vendors["aliyun"] = aliyun.settings_for(first)
        config = AppConfig(
            database_url=question["database_url"],
            secret_key="a secret key of a benchmark",
            gateway=GatewaySettings(**question["broker"], client_id=f"failover-{_ids.reference()}"),
            vendors=vendors,
            public_url=public_url,
            folder=Path(question["folder"]),
            http_port=question["port"],
        )
        app = self._app = TwoTwilios(config) if both_twilio else Application(config)
        if isinstance(app, TwoTwilios):
            app.second = dict(twilio.build(behind))
            for provider in app.second.values():
                provider.name = SECOND
        await self._stack.enter_async_context(app)
        patient = PolicyRow("benchmark", 0, LADDER, 1)
        await app.database.write(Priority.ADMINISTRATION, lambda conn: policy_rows.add(conn, _ids.uuid7(), patient))
        async with asyncio.timeout(ready_seconds_max):
            while (await app.ready())["broker"] is not True:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        return {}

    async def state(self, question: Answer) -> Answer:
        """`unsettled`: phones with an attempt of which nobody knows what became of it. `reached`: how many a text and a
        call were accepted for."""
        assert self._app is not None
        now = _clock.now()
        unsettled = await self._app.database.read(lambda conn: _unsettled(conn, now))
        rows = await self._app.database.read(_known)
        reached = [len({address for address, channel, _ in rows if channel == each.value}) for each in PHONES]
        return {"unsettled": unsettled, "reached": min(reached)}

    async def known(self, question: Answer) -> Answer:
        """[phone, stamp] by channel: when the service knew that a carrier had it."""
        assert self._app is not None
        since = time.monotonic() - _clock.now().timestamp()
        rows = await self._app.database.read(_known)
        found: dict[str, list[tuple[int, float]]] = {channel.value: [] for channel in PHONES}
        for address, channel, at in rows:
            found[channel].append((phone_number(address), since + at.timestamp()))
        return found

    async def stop(self, question: Answer) -> Answer:
        await self._stack.aclose()
        self._app = None
        return {}


def _twilio(base_url: str, public_url: str) -> TwilioSettings:
    settings = TwilioSettings(account_sid, auth_token, from_number, public_url)
    return replace(settings, base_url=base_url, calls_per_second=calls_per_second)


def _of_phones(*columns: Any) -> Any:
    joined = attempts.join(notifications, notifications.c.id == attempts.c.notification_id)
    wanted = notifications.c.channel.in_([channel.value for channel in PHONES])
    return select(*columns).select_from(joined).where(wanted)


def _unsettled(conn: Connection, now: Any) -> list[int]:
    open_ = (AttemptState.SENDING.value, AttemptState.UNKNOWN.value)
    wonders = or_(
        and_(attempts.c.state.in_(open_), attempts.c.due_at.is_not(None)),
        and_(attempts.c.state == AttemptState.PLANNED.value, attempts.c.due_at <= now),
    )
    return sorted(
        {phone_number(row.address) for row in conn.execute(_of_phones(notifications.c.address).where(wonders))}
    )


def _known(conn: Connection) -> list[Any]:
    columns = (notifications.c.address, notifications.c.channel, attempts.c.provider_accepted_at)
    known = attempts.c.provider_accepted_at.is_not(None)
    return list(conn.execute(_of_phones(*columns).where(known)).fetchall())


def _handlers() -> dict[str, Handler]:
    side = _Side()
    return {
        "port": side.port,
        "start": side.start,
        "state": side.state,
        "known": side.known,
        "stop": side.stop,
    }


if __name__ == "__main__":
    serve(_handlers)
