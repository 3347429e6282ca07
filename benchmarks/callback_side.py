"""A child process: the real application with its callback inbox, or a server of the same kind that answers 204.

Never sends: it has no broker, and nothing in its database is due.
"""

import asyncio
import time
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import uvicorn
from sqlalchemy import Connection, func, insert, select

from alerting.channels.providers.twilio_settings import TwilioSettings
from alerting.core.attempts import RANK
from alerting.core.model import AttemptState
from alerting.ports import Priority
from alerting.store.tables import attempts, callbacks, incidents, notifications
from benchmarks.child import Answer, Handler, serve
from gengfu.application import AppConfig, Application
from gengfu.clock import RandomIds, SystemClock
from gengfu.database import migrate, open_database
from gengfu.listening import Server, backlog_connections, listen
from tests.contract.api_support import incident_row
from tests.support import aliyun

SECRET_KEY = "a secret key of a benchmark"
TWILIO = TwilioSettings("AC" + "1" * 32, "token-of-a-benchmark", "+15005550006", "https://gengfu.example")
ALIYUN = aliyun.settings_for("http://127.0.0.1:1")
rows_at_once = 1_000
settle_seconds_max = 10.0
"""What went into the spool is written behind the load."""
_clock, _ids = SystemClock(), RandomIds()


class _Side:
    def __init__(self) -> None:
        self._stack = AsyncExitStack()
        self._app: Application | None = None

    async def service(self, question: Answer) -> Answer:
        """A fresh database in `folder` with so many calls and texts under way; address and their attempts."""
        url = f"sqlite+aiosqlite:///{Path(question['folder']) / 'callbacks.db'}"
        await asyncio.to_thread(migrate.upgrade, url)
        known = await _seed(url, question["attempts"])
        self._app = Application(
            AppConfig(
                database_url=url,
                secret_key=SECRET_KEY,
                vendors={"twilio": TWILIO, "aliyun": ALIYUN},
                public_url=TWILIO.public_url,
                folder=Path(question["folder"]),
                roles=frozenset({"worker", "api"}),
            )
        )
        await self._stack.enter_async_context(self._app)
        return {"url": self._app.http_url, "attempts": known}

    async def floor(self, question: Answer) -> Answer:
        """The same server without anything behind it."""
        listening = listen("127.0.0.1", 0)
        server = Server(
            uvicorn.Config(
                _no_content,
                log_config=None,
                access_log=False,
                http="httptools",
                ws="none",
                lifespan="off",
                backlog=backlog_connections,
            )
        )
        task = asyncio.create_task(server.serve(sockets=[listening]))

        async def stop() -> None:
            server.should_exit = True
            await asyncio.wait({task}, timeout=4)

        self._stack.push_async_callback(stop)
        return {"url": f"http://127.0.0.1:{listening.getsockname()[1]}"}

    async def used(self, question: Answer) -> Answer:
        """CPU seconds of this process so far."""
        return {"cpu": time.process_time()}

    async def stored(self, question: Answer) -> Answer:
        """Rows in the inbox once so many are there (or time is up: they are lost), and those that are understood."""
        assert self._app is not None
        until = _clock.monotonic() + settle_seconds_max
        while (found := await self._rows(self._app))["rows"] < question["count"] and _clock.monotonic() < until:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        return found

    async def _rows(self, app: Application) -> Answer:
        count = select(func.count(), func.count(callbacks.c.folded_at)).select_from(callbacks)
        rows, folded = await app.database.read(lambda conn: tuple(conn.execute(count).one()))
        return {"rows": rows, "folded": folded}

    async def stop(self, question: Answer) -> Answer:
        await self._stack.aclose()
        self._app = None
        return {}


async def _no_content(scope: Any, receive: Any, send: Any) -> None:
    """Read everything, say 204."""
    while (await receive()).get("more_body", False):
        pass
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def _seed(url: str, count: int) -> list[str]:
    """Texts that a provider has taken, of one incident."""
    database, now = open_database(url, monotonic=_clock.monotonic), _clock.now() - timedelta(seconds=30)
    incident_id, known = _ids.uuid7(), [_ids.attempt() for _ in range(count)]

    def rows(conn: Connection, first: int) -> None:
        of_notification = [
            (_ids.uuid7(), each, first + n) for n, each in enumerate(known[first : first + rows_at_once])
        ]
        conn.execute(insert(notifications), [_notification(id_, incident_id, n, now) for id_, _, n in of_notification])
        conn.execute(insert(attempts), [_attempt(each, id_, incident_id, n, now) for id_, each, n in of_notification])

    await database.write(
        Priority.ALARM,
        lambda conn: conn.execute(insert(incidents).values(**incident_row(incident_id, now), closed_at=now)),
    )
    for first in range(0, count, rows_at_once):
        await database.write(Priority.ALARM, lambda conn, first=first: rows(conn, first))  # type: ignore[misc]
    await database.close()
    return known


def _notification(id_: str, incident_id: str, n: int, now: Any) -> dict[str, Any]:
    state = AttemptState.PROVIDER_ACCEPTED
    return {
        "id": id_,
        "incident_id": incident_id,
        "round": n // 1000,
        "step": n % 1000,
        "recipient_id": f"worker-{n}",
        "channel": "sms",
        "purpose": "page",
        "address": "+8613800000000",
        "language": "zh-CN",
        "urgency": 0,
        "text": "火警",
        "state": state.value,
        "rank": RANK[state],
        "planned_at": now,
    }


def _attempt(id_: str, notification_id: str, incident_id: str, n: int, now: Any) -> dict[str, Any]:
    state = AttemptState.PROVIDER_ACCEPTED
    return {
        "id": id_,
        "notification_id": notification_id,
        "incident_id": incident_id,
        "number": 1,
        "reason": "first",
        "provider": "aliyun" if n % 2 else "twilio",
        "state": state.value,
        "rank": RANK[state],
        "planned_at": now,
        "submitted_at": now,
        "provider_accepted_at": now,
        "provider_ref": f"ref-{n}",
    }


def _handlers() -> dict[str, Handler]:
    side = _Side()
    return {"service": side.service, "floor": side.floor, "used": side.used, "stored": side.stored, "stop": side.stop}


if __name__ == "__main__":
    serve(_handlers)
