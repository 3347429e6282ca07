"""Looks after silent devices: a bounded number at a time, by a due time of each; what it finds goes in as a signal.

Law: judges nothing while nobody listens; silence is a trouble and rings nobody out of bed. Never in an alarm's way.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from alerting.core.decisions import CancelPending, Decision, Record, SetLadder, SetWork
from alerting.core.model import Actor, Incident, Reason, Work
from alerting.core.signal import SignalIn
from alerting.core.supervision import Gateway, Look, Watched, Word, look, quiet_at
from alerting.deciding import Deciding
from alerting.ports import Clock, Conflict, Database, Ids, Priority
from alerting.store import incidents
from alerting.store import supervision as store
from alerting.writing import Written
from devices.signals import SignalKind

log = logging.getLogger(__name__)

sweep_every_s = 10.0
poll_s = 1.0
looked_at_most = 100
"""In one transaction: the writer is never held long."""
rounds_most = 50
adopted_most = 2000
put_most = 500
fresh_s = 30.0
"""Who said so long ago that it listens does not any more."""
DEVICE, GATEWAY = "device.offline", "gateway.offline"
SYSTEM = Actor(id="gengfu", name="更夫", via="supervision")


@dataclass(slots=True)
class _Found:
    signals: list[SignalIn]
    gateways: dict[str, int]
    """Gateways that are offline now, and how many devices are behind each."""
    turned: list[str]
    """Gateways that went or came back."""
    folded: list[tuple[str, str]]
    """(device, its gateway): its own trouble is its gateway's."""


class Supervision:
    def __init__(
        self,
        database: Database,
        deciding: Deciding,
        after: Callable[[Written], None],
        clock: Clock,
        ids: Ids,
        grace_s: float,
    ) -> None:
        self._database = database
        self._deciding = deciding
        self._after = after
        self._clock = clock
        self._ids = ids
        self._grace_s = grace_s
        self._adopted_to = ""

    async def run(self) -> None:
        """Until cancelled."""
        swept_at = self._clock.monotonic() - sweep_every_s
        while True:
            await asyncio.sleep(poll_s)
            if self._clock.monotonic() - swept_at < sweep_every_s:
                continue
            swept_at = self._clock.monotonic()
            try:
                await self.sweep()
            except (SQLAlchemyError, OSError, Conflict) as fault:
                log.warning("supervision waits for the database: %s", type(fault).__name__)
            except Exception:  # a worker's loop: recorded, and the next round tries again
                log.exception("supervision failed")

    async def sweep(self) -> None:
        """One round: new devices are watched, quiet ones are judged."""
        await self._adopt()
        fresh = self._clock.now() - timedelta(seconds=fresh_s)
        since = await self._database.read(lambda conn: store.listening_since(conn, fresh))
        if since is None:
            return
        for _ in range(rounds_most):
            ids = await self._database.read(lambda conn: store.look_at(conn, self._clock.now(), looked_at_most))
            if not ids:
                return
            await self._look(ids, since)
            if len(ids) < looked_at_most:
                return

    async def _adopt(self) -> None:
        now, after = self._clock.now(), self._adopted_to
        self._adopted_to, changed = await self._database.read(lambda conn: store.adopt(conn, after, adopted_most))
        for start in range(0, len(changed), put_most):
            part = changed[start : start + put_most]
            await self._database.write(Priority.TELEMETRY, partial(store.put, changed=part, now=now))

    async def _look(self, ids: Sequence[str], since: datetime) -> None:
        for written in await self._database.write(Priority.TELEMETRY, lambda conn: self._judge(conn, ids, since)):
            self._after(written)

    def _judge(self, conn: Connection, ids: Sequence[str], since: datetime) -> list[Written]:
        now = self._clock.now()
        found = _Found([], {}, [], [])
        looks: list[tuple[str, Look]] = []
        for loaded in store.load(conn, ids, now):
            seen = look(_watched(loaded, since, self._grace_s), now, since, self._grace_s)
            if seen.word is Word.UNWATCHED and loaded.row.state is None:
                store.forget(conn, loaded.row.device_id)
                continue
            looks.append((loaded.row.device_id, seen))
            self._take(conn, loaded, seen, found, now)
        store.save(conn, looks)
        store.look_at_children(conn, found.turned, now)
        written = [self._deciding.heard(conn, found.signals)] if found.signals else []
        written += self._fold(conn, found, now)
        return written

    def _take(self, conn: Connection, loaded: store.Loaded, seen: Look, found: _Found, now: datetime) -> None:
        device_id = loaded.row.device_id
        was_offline = loaded.row.offline_since is not None and loaded.row.behind is None
        code = GATEWAY if loaded.is_gateway else DEVICE
        if seen.word is Word.OFFLINE:
            found.signals.append(self._signal(device_id, SignalKind.TROUBLE, code, now))
        elif was_offline and seen.word in (Word.BACK, Word.UNWATCHED):
            found.signals.append(self._signal(device_id, SignalKind.RESTORAL, code, now))
        elif seen.word is Word.FOLDED and seen.behind is not None:
            found.folded.append((device_id, seen.behind))
        if loaded.is_gateway and seen.word in (Word.OFFLINE, Word.BACK):
            found.turned.append(device_id)
        if loaded.is_gateway and seen.word is Word.OFFLINE:
            found.gateways[device_id] = store.children(conn, device_id)

    def _signal(self, device_id: str, kind: SignalKind, code: str, now: datetime) -> SignalIn:
        return SignalIn(device_id, kind, code, now, None, False, self._ids.uuid7(), self._ids.reference())

    def _fold(self, conn: Connection, found: _Found, now: datetime) -> list[Written]:
        """The gateways' incidents say how many are behind them; troubles that they explain are closed."""
        gateways = {*found.gateways, *(gateway for _, gateway in found.folded)}
        keys = {f"v1:{GATEWAY}:{each}" for each in gateways} | {f"v1:{DEVICE}:{each}" for each, _ in found.folded}
        if not keys:
            return []
        known = incidents.load_by_keys(conn, keys)
        made: list[Decision] = []
        for gateway_id, number in found.gateways.items():
            incident = known.get(f"v1:{GATEWAY}:{gateway_id}")
            if incident is not None and number:
                made.append(Record(incident.id, "supervision", SYSTEM, Reason.BEHIND_GATEWAY, {"children": number}))
        for device_id, gateway_id in found.folded:
            own, into = known.get(f"v1:{DEVICE}:{device_id}"), known.get(f"v1:{GATEWAY}:{gateway_id}")
            if own is not None and into is not None and own.work in (Work.NEW, Work.DISPATCHED):
                made += _closed(own, into)
        if not made:
            return []
        world = self._deciding.world_of(conn, [])
        return [self._deciding.carry_out(conn, world, made, {each.id: each for each in known.values()})]


def _closed(own: Incident, into: Incident) -> list[Decision]:
    """Nobody has begun with it: there is one trouble, and it is the gateway's."""
    detail = {"into": into.id, "reference": into.reference}
    return [
        SetWork(own.id, Work.CLOSED, SYSTEM, Reason.BEHIND_GATEWAY, detail),
        CancelPending(own.id, Reason.BEHIND_GATEWAY),
        SetLadder(own.id, own.round, own.step, None, Reason.BEHIND_GATEWAY),
    ]


def _watched(loaded: store.Loaded, listening: datetime, grace_s: float) -> Watched:
    row = loaded.row
    gateway = None
    if row.gate_window_s is not None:
        limit = quiet_at(row.gate_window_s, row.gate_since, row.gate_seen_at, row.gate_online != 0, listening, grace_s)
        gateway = Gateway(row.gateway_id, row.gate_offline_since is not None, row.gate_seen_at, limit)
    return Watched(
        device_id=row.device_id,
        window_s=row.window_s,
        since=row.since,
        watched=loaded.watched,
        last_seen_at=row.last_seen_at,
        online=row.online != 0,
        offline_since=row.offline_since,
        behind=row.behind,
        gateway=gateway,
    )
