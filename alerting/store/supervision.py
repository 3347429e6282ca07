"""When each device is looked at for its silence, and since when somebody listens. Never decides what silence means."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from alerting.core.supervision import GATEWAYS, Look, will_grace_s, window_of
from alerting.store.tables_supervision import listening, supervision
from devices.model import DeviceState
from devices.store.lists import one_of
from devices.store.tables import device_seen, devices
from devices.store.tables_devices import device_models

forgotten_after = timedelta(days=1)
"""Rows of `listening` that nobody renews."""

_AT = bindparam("at", type_=supervision.c.look_at.type)
_gate = supervision.alias("gate")
_gate_seen = device_seen.alias("gate_seen")
_gate_device = devices.alias("gate_device")
DUE = (
    select(supervision.c.device_id)
    .where(supervision.c.look_at <= bindparam("now", type_=supervision.c.look_at.type))
    .order_by(supervision.c.look_at)
    .limit(bindparam("most"))
)
SPOKE = (  # not a join: a planner without statistics would go through every device that was ever heard
    select(supervision.c.device_id)
    .where(
        supervision.c.offline_since.is_not(None),
        select(device_seen.c.device_id)
        .where(
            device_seen.c.device_id == supervision.c.device_id,
            device_seen.c.last_seen_at > supervision.c.offline_since,
            device_seen.c.online == 1,
        )
        .exists(),
    )
    .limit(bindparam("most"))
)
_LOADED = (
    select(
        supervision.c.device_id,
        supervision.c.window_s,
        supervision.c.since,
        supervision.c.offline_since,
        supervision.c.behind,
        devices.c.kind,
        devices.c.state,
        devices.c.parent_id,
        devices.c.out_of_service_until,
        devices.c.gateway_id,
        device_seen.c.last_seen_at,
        device_seen.c.online,
        _gate.c.window_s.label("gate_window_s"),
        _gate.c.since.label("gate_since"),
        _gate.c.offline_since.label("gate_offline_since"),
        _gate_seen.c.last_seen_at.label("gate_seen_at"),
        _gate_seen.c.online.label("gate_online"),
    )
    .outerjoin(devices, devices.c.id == supervision.c.device_id)
    .outerjoin(device_seen, device_seen.c.device_id == supervision.c.device_id)
    .outerjoin(_gate, _gate.c.device_id == devices.c.gateway_id)
    .outerjoin(_gate_seen, _gate_seen.c.device_id == devices.c.gateway_id)
    .where(one_of(supervision.c.device_id, "ids"))
    .order_by(supervision.c.device_id)
    .with_for_update(of=supervision)
)
_NEW = (
    select(
        devices.c.id,
        devices.c.supervision_window_s,
        device_models.c.supervision_window_s,
        devices.c.kind,
        supervision.c.window_s,
        device_seen.c.online,
    )
    .outerjoin(device_seen, device_seen.c.device_id == devices.c.id)
    .outerjoin(device_models, device_models.c.id == devices.c.model_id)
    .outerjoin(supervision, supervision.c.device_id == devices.c.id)
    .where(devices.c.id > bindparam("after"))
    .order_by(devices.c.id)
    .limit(bindparam("most"))
)
_INSERT: dict[str, Any] = {"sqlite": sqlite.insert(supervision), "postgresql": postgresql.insert(supervision)}
_SAVE = (
    update(supervision)
    .where(supervision.c.device_id == bindparam("key"))
    .values(
        look_at=bindparam("new_look_at", type_=supervision.c.look_at.type),
        offline_since=bindparam("new_offline_since", type_=supervision.c.offline_since.type),
        behind=bindparam("new_behind", type_=supervision.c.behind.type),
        since=func.coalesce(bindparam("new_since", type_=supervision.c.since.type), supervision.c.since),
    )
)
_SOONER = (
    update(supervision)
    .where(
        supervision.c.device_id == bindparam("key"),
        supervision.c.look_at > bindparam("at", type_=device_seen.c.last_seen_at.type),
    )
    .values(look_at=bindparam("at", type_=device_seen.c.last_seen_at.type))
)
_HEAR: dict[str, Any] = {"sqlite": sqlite.insert(listening), "postgresql": postgresql.insert(listening)}
_WATCHED = (DeviceState.INSTALLED.value, DeviceState.COMMISSIONED.value)


@dataclass(frozen=True, slots=True)
class Loaded:
    """A row as it is stored, with its device's and its gateway's."""

    row: Any
    watched: bool
    is_gateway: bool


def look_at(conn: Connection, now: datetime, most: int) -> list[str]:
    """Whose time has come, longest ago first, and who was offline and has spoken. Two indexed queries."""
    due = conn.scalars(DUE, {"now": now, "most": most}).all()
    return sorted({*due, *conn.scalars(SPOKE, {"most": most})})


def load(conn: Connection, ids: Collection[str], now: datetime) -> list[Loaded]:
    """These, locked, in order."""
    rows = conn.execute(_LOADED, {"ids": list(ids)}).fetchall()
    with_children = set(
        conn.scalars(select(devices.c.gateway_id).where(one_of(devices.c.gateway_id, "ids")), {"ids": list(ids)})
    )
    return [Loaded(row, _is_watched(row, now), row.device_id in with_children or row.kind in GATEWAYS) for row in rows]


def _is_watched(row: Any, now: datetime) -> bool:
    """Put up, in service, and speaking for itself. It counts from the first word that we heard of it."""
    if row.state not in _WATCHED or row.parent_id is not None:
        return False
    if row.last_seen_at is None:
        return False
    return row.out_of_service_until is None or row.out_of_service_until <= now


def save(conn: Connection, looks: Sequence[tuple[str, Look]]) -> None:
    rows = [
        {
            "key": device_id,
            "new_look_at": look.look_at,
            "new_offline_since": look.offline_since,
            "new_behind": look.behind,
            "new_since": look.since,
        }
        for device_id, look in looks
    ]
    if rows:
        conn.execute(_SAVE, rows)


def forget(conn: Connection, device_id: str) -> None:
    conn.execute(delete(supervision).where(supervision.c.device_id == device_id))


@dataclass(frozen=True, slots=True)
class Adopted:
    """A device without a row, or with another window than its row says."""

    device_id: str
    window_s: int
    is_new: bool
    gone: bool
    """It said goodbye before it was watched."""


def adopt(conn: Connection, after: str, most: int) -> tuple[str, list[Adopted]]:
    """Of the next devices in order of ids: (where to go on, those that have to be `put`)."""
    rows = conn.execute(_NEW, {"after": after, "most": most}).fetchall()
    found = [
        (Adopted(id_, window_of(own, model, kind), known is None, online == 0), known)
        for id_, own, model, kind, known, online in rows
    ]
    return (rows[-1][0] if len(rows) == most else "", [each for each, known in found if each.window_s != known])


def put(conn: Connection, changed: Sequence[Adopted], now: datetime) -> None:
    """Watched from now on, with that window."""
    fresh = [
        {
            "device_id": each.device_id,
            "window_s": each.window_s,
            "since": now,
            "look_at": now + timedelta(seconds=will_grace_s if each.gone else each.window_s),
        }
        for each in changed
        if each.is_new
    ]
    if fresh:
        conn.execute(_INSERT[conn.dialect.name].on_conflict_do_nothing(), fresh)
    others = [{"key": each.device_id, "window": each.window_s} for each in changed if not each.is_new]
    if others:
        query = update(supervision).where(supervision.c.device_id == bindparam("key"))
        conn.execute(query.values(window_s=bindparam("window"), since=now, look_at=now), others)


def sooner(conn: Connection, device_ids: Collection[str], at: datetime) -> None:
    """They said goodbye: look then, unless sooner."""
    if device_ids:
        conn.execute(_SOONER, [{"key": id_, "at": at} for id_ in sorted(device_ids)])


def children(conn: Connection, gateway_id: str) -> int:
    """How many devices speak through it."""
    query = select(func.count()).where(devices.c.gateway_id == gateway_id, devices.c.state.in_(_WATCHED))
    return int(conn.execute(query).scalar_one())


def look_at_children(conn: Connection, gateway_ids: Collection[str], now: datetime) -> None:
    """Its silence, or its return, explains theirs."""
    if gateway_ids:
        theirs = select(devices.c.id).where(one_of(devices.c.gateway_id, "gateways"))
        offline = or_(supervision.c.behind.is_not(None), supervision.c.offline_since.is_not(None))
        query = update(supervision).where(supervision.c.device_id.in_(theirs), offline).values(look_at=now)
        conn.execute(query, {"gateways": sorted(gateway_ids)})


def listens(conn: Connection, boot: int, since: datetime, now: datetime) -> None:
    """This process hears every device, since then without a break."""
    query = _HEAR[conn.dialect.name].values(boot=boot, since=since, until=now)
    conn.execute(query.on_conflict_do_update(index_elements=[listening.c.boot], set_={"since": since, "until": now}))
    conn.execute(delete(listening).where(listening.c.until < now - forgotten_after))


def hears_nothing(conn: Connection, boot: int) -> None:
    """This process has lost the broker."""
    conn.execute(delete(listening).where(listening.c.boot == boot))


def listening_since(conn: Connection, fresh: datetime) -> datetime | None:
    """Since when somebody hears every device; None where nobody does now."""
    since: datetime | None = conn.scalar(select(func.min(listening.c.since)).where(listening.c.until >= fresh))
    return since


def offline(conn: Connection) -> list[tuple[str, str | None]]:
    """(device, the gateway it is behind) of everything that is silent for too long."""
    query = select(supervision.c.device_id, supervision.c.behind).where(supervision.c.offline_since.is_not(None))
    return [(row[0], row[1]) for row in conn.execute(query.order_by(supervision.c.device_id))]
