"""The callback inbox on a real database with attempts in it; it holds no test."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, insert, select

from alerting.channels.base import CallbackEvent, Caps, KeyPress, Receipt, ReceiptKind, Reply, Submission, Submitted
from alerting.channels.modest import Modest
from alerting.core.outcomes import Accepted
from alerting.inbox import Inbox
from alerting.ports import Priority
from alerting.spool import Spool
from alerting.store import tables
from devices.model import Channel
from gengfu.clock import RandomIds, SystemClock
from gengfu.database import RunningDatabase, open_database
from tests.contract.api_support import incident_row

VENDOR = "vendor"


class Vendor(Modest):
    """Reads callbacks of the plainest kind: `{"word": "sent"}`, `{"digits": "1"}`, `{"text": "1", "from": ...}`."""

    name = VENDOR
    caps = Caps(receipts=True)

    def __init__(self, channel: Channel = Channel.VOICE) -> None:
        self.channel = channel
        self.polled: list[str] = []
        self.knows: list[CallbackEvent] = []

    async def submit(self, submission: Submission, deadline_s: float) -> Submitted:
        return Accepted(f"ref-{submission.attempt_id}")

    async def poll(self, submission: Submission, provider_ref: str) -> list[CallbackEvent]:
        self.polled.append(submission.attempt_id)
        return self.knows

    def parse_callback(self, kind: str, attempt_id: str | None, form: Mapping[str, Any]) -> list[CallbackEvent]:
        if "from" in form:
            return [Reply(str(form["from"]), str(form["text"]), "")]
        if not attempt_id:
            return []
        if "digits" in form:
            return [KeyPress(attempt_id, str(form["digits"]))]
        if "broken" in form:
            raise KeyError("a reader's own fault")
        return [Receipt(attempt_id, ReceiptKind(str(form["word"])))]


@dataclass
class Desk:
    """An inbox and what it led to."""

    database: RunningDatabase
    inbox: Inbox
    spool: Spool
    vendor: Vendor
    keys: list[KeyPress] = field(default_factory=list)
    replies: list[Reply] = field(default_factory=list)
    fail_acts: list[Exception] = field(default_factory=list)
    """Raised by the next acts, one by one."""

    async def attempt(self, attempt_id: str, channel: Channel = Channel.VOICE, **values: Any) -> str:
        """An attempt of a fresh fire; its incident."""
        ids, now = RandomIds(), SystemClock().now()
        incident_id, notification_id = ids.uuid7(), ids.uuid7()
        notice = {
            "id": notification_id,
            "incident_id": incident_id,
            "round": 0,
            "step": 0,
            "recipient_id": "worker",
            "channel": channel.value,
            "purpose": "page",
            "address": "+8613800138000",
            "language": "zh-CN",
            "urgency": 0,
            "text": "火警",
            "state": "sending",
            "planned_at": now,
        }
        row = {
            "id": attempt_id,
            "notification_id": notification_id,
            "incident_id": incident_id,
            "number": 1,
            "reason": "first",
            "provider": VENDOR,
            "state": "provider_accepted",
            "rank": 5,
            "planned_at": now,
            "provider_accepted_at": now,
            "provider_ref": f"ref-{attempt_id}",
        }

        def work(conn: Connection) -> None:
            conn.execute(insert(tables.incidents).values(**incident_row(incident_id, now)))
            conn.execute(insert(tables.notifications).values(**notice))
            conn.execute(insert(tables.attempts).values(**(row | values)))

        await self.database.write(Priority.ADMINISTRATION, work)
        return incident_id

    async def state(self, attempt_id: str) -> str:
        query = select(tables.attempts.c.state).where(tables.attempts.c.id == attempt_id)
        return str(await self.database.read(lambda conn: conn.scalar(query)))

    async def stored(self) -> list[str]:
        """What lies in the inbox, oldest first, by its dedupe key."""
        query = select(tables.callbacks.c.dedupe).order_by(tables.callbacks.c.id)
        return await self.database.read(lambda conn: list(conn.scalars(query)))

    async def unfolded(self) -> int:
        query = select(tables.callbacks.c.id).where(tables.callbacks.c.folded_at.is_(None))
        return len(await self.database.read(lambda conn: list(conn.scalars(query))))

    async def fold(self) -> None:
        while await self.inbox.fold():
            pass

    async def on_key(self, key: KeyPress) -> None:
        if self.fail_acts:
            raise self.fail_acts.pop(0)
        self.keys.append(key)

    async def on_reply(self, reply: Reply) -> None:
        if self.fail_acts:
            raise self.fail_acts.pop(0)
        self.replies.append(reply)


@asynccontextmanager
async def desk_on(url: str, folder: Path | None = None, clock: Any = None) -> AsyncIterator[Desk]:
    """Over a migrated database. `folder`: where the spool lies. `clock`: one whose hands can be turned."""
    database = open_database(url, monotonic=SystemClock().monotonic)
    spool, vendor = Spool(folder), Vendor()
    desk: Desk

    async def on_key(key: KeyPress) -> None:
        await desk.on_key(key)

    async def on_reply(reply: Reply) -> None:
        await desk.on_reply(reply)

    inbox = Inbox(
        database=database,
        providers={Channel.VOICE: vendor},
        clock=clock or SystemClock(),
        ids=RandomIds(),
        wake=lambda conn, word: None,
        on_entries=lambda entries: None,
        on_key=on_key,
        on_reply=on_reply,
        on_failed=lambda incident_id: None,
        wake_at=lambda due: None,
        spool=spool,
    )
    desk = Desk(database, inbox, spool, vendor)
    yield desk
    await inbox.absorber.close()
    await database.close()
