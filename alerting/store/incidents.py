"""Incidents: load with a lock, insert, move. Rows a decision rests on are locked in id order. Never decides."""

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Row, Select, Update, bindparam, delete, or_, select, union, update
from sqlalchemy.dialects import postgresql, sqlite

from alerting.core.model import Ack, Condition, Extent, Incident, Overlay, PlaceText, Policy, Reason, Via, Work
from alerting.core.policy import document, parse
from alerting.ports import Conflict
from alerting.store.tables import incident_overlays, incidents
from devices.taxonomy import SignalClass

policies_remembered_max = 256
_policies: dict[tuple[str, int], tuple[dict[str, Any], Policy]] = {}

_COLUMNS = (
    incidents.c.id,
    incidents.c.reference,
    incidents.c.dedup_key,
    incidents.c.code,
    incidents.c.cls,
    incidents.c.severity,
    incidents.c.condition,
    incidents.c.ack,
    incidents.c.work,
    incidents.c.device_id,
    incidents.c.place_id,
    incidents.c.grid_id,
    incidents.c.place_text,
    incidents.c.opened_at,
    incidents.c.policy,
    incidents.c.extent,
    incidents.c.round,
    incidents.c.step,
    incidents.c.due_at,
    incidents.c.due_reason,
    incidents.c.taken_by,
    incidents.c.taken_at,
    incidents.c.signals,
    incidents.c.version,
    incidents.c.raised_by,
    incidents.c.raised_via,
    incidents.c.linked_to,
    incidents.c.drill_id,
    incidents.c.shelved_until,
    incidents.c.acknowledged_until,
    incidents.c.acknowledged_by,
    incidents.c.verified,
)
_BASE = select(*_COLUMNS).order_by(incidents.c.id).with_for_update()
_BY_KEYS = _BASE.where(incidents.c.dedup_key.in_(bindparam("keys", expanding=True)), incidents.c.holds_key)
_BY_IDS = _BASE.where(incidents.c.id.in_(bindparam("ids", expanding=True)))
_OPEN = select(incidents.c.id, incidents.c.severity, incidents.c.due_at).where(incidents.c.closed_at.is_(None))
_LIMITS = union(  # each by an index of its own
    _OPEN.where(incidents.c.due_at <= bindparam("now")),
    _OPEN.where(incidents.c.acknowledged_until <= bindparam("now")),
    _OPEN.where(
        incidents.c.shelved_until.is_not(None),
        or_(incidents.c.shelved_until <= bindparam("now"), incidents.c.severity == 1),
    ),
).subquery()
_DUE = select(_LIMITS.c.id).order_by(_LIMITS.c.severity, _LIMITS.c.due_at).limit(bindparam("most"))
_NEXT_DUE = select(incidents.c.due_at).where(incidents.c.closed_at.is_(None), incidents.c.due_at.is_not(None))
_NEXT_DUE = _NEXT_DUE.order_by(incidents.c.due_at).limit(1)
_FORGOTTEN = select(incidents.c.id).where(incidents.c.closed_at.is_(None), incidents.c.due_at.is_(None)).limit(500)
_OVERLAYS = select(incident_overlays.c.incident_id, incident_overlays.c.kind).where(
    incident_overlays.c.incident_id.in_(bindparam("ids", expanding=True))
)
_END_OVERLAY = delete(incident_overlays).where(
    incident_overlays.c.incident_id == bindparam("incident"), incident_overlays.c.kind == bindparam("overlay")
)
_BRIEF = select(incidents.c.reference, incidents.c.work).where(incidents.c.id == bindparam("id"))
_INSERT = {
    "sqlite": sqlite.insert(incidents).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(incidents).on_conflict_do_nothing(),
}
_INSERT_RETURNING = {name: statement.returning(incidents.c.id) for name, statement in _INSERT.items()}
_INSERT_OVERLAY = {
    "sqlite": sqlite.insert(incident_overlays).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(incident_overlays).on_conflict_do_nothing(),
}


def load_by_keys(conn: Connection, keys: Collection[str]) -> dict[str, Incident]:
    """The incidents that hold these dedup keys, locked, by key."""
    found = _load(conn, _BY_KEYS, {"keys": sorted(keys)})
    return {incident.dedup_key: incident for incident in found}


def load(conn: Connection, ids: Collection[str]) -> dict[str, Incident]:
    """Incidents by id, locked."""
    return {incident.id: incident for incident in _load(conn, _BY_IDS, {"ids": sorted(ids)})}


def brief(conn: Connection, incident_id: str) -> tuple[str, Work] | None:
    """(reference, work) of one incident, to look at."""
    row = conn.execute(_BRIEF, {"id": incident_id}).one_or_none()
    return (row[0], Work(row[1])) if row else None


def due_ids(conn: Connection, now: datetime, most: int) -> list[str]:
    """Unclosed incidents whose due time has passed, or whose shelf or acknowledgement has ended: worst first."""
    return [row[0] for row in conn.execute(_DUE, {"now": now, "most": most})]


def next_due(conn: Connection) -> datetime | None:
    return conn.execute(_NEXT_DUE).scalar()


def forgotten_ids(conn: Connection) -> list[str]:
    """The invariant's violations: unclosed, and no due time at all."""
    return [row[0] for row in conn.execute(_FORGOTTEN)]


def insert(conn: Connection, rows: Sequence[Incident]) -> None:
    """Insert newly opened incidents; raises Conflict where another winner holds the key."""
    if not rows:
        return
    written = conn.execute(_INSERT_RETURNING[conn.dialect.name], [_values(row) for row in rows])
    if len(written.all()) != len(rows):
        raise Conflict("an incident of the same key was opened by another writer")


def change(conn: Connection, changes: Sequence[tuple[Incident, dict[str, Any]]]) -> None:
    """Write columns of incidents that are still the versions that the decision saw; else Conflict.

    The rows are locked since they were loaded (`FOR UPDATE`, or SQLite's one writer), so that a conflict can only mean
    that somebody did not load them so; where the driver counts the rows of a bulk update, it is found out.
    """
    groups: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for incident, values in changes:
        row = {"key": incident.id, "seen": incident.version, **{f"new_{name}": values[name] for name in values}}
        groups.setdefault(tuple(sorted(values)), []).append(row)
    for columns, rows in groups.items():
        done = conn.execute(_update(columns), rows if len(rows) > 1 else rows[0])
        counted = len(rows) == 1 or conn.dialect.name == "sqlite"
        if counted and done.rowcount != len(rows):
            raise Conflict(f"one of {len(rows)} incidents was changed by another writer")


@lru_cache(maxsize=64)
def _update(columns: tuple[str, ...]) -> Update:
    values: dict[str, Any] = {name: bindparam(f"new_{name}", type_=incidents.c[name].type) for name in columns}
    found = (incidents.c.id == bindparam("key"), incidents.c.version == bindparam("seen"))
    return update(incidents).where(*found).values(**values, version=incidents.c.version + 1)


def add_overlays(conn: Connection, rows: Sequence[tuple[str, str, datetime, str]]) -> None:
    """(incident id, kind, at, detail); one that is there already stays."""
    if rows:
        values = [{"incident_id": i, "kind": k, "at": at, "detail": {"text": d} if d else None} for i, k, at, d in rows]
        conn.execute(_INSERT_OVERLAY[conn.dialect.name], values)


def end_overlays(conn: Connection, rows: Sequence[tuple[str, str]]) -> None:
    """(incident id, kind): it is no longer so."""
    if rows:
        conn.execute(_END_OVERLAY, [{"incident": incident_id, "overlay": kind} for incident_id, kind in rows])


def _load(conn: Connection, statement: Select[Any], parameters: dict[str, Any]) -> list[Incident]:
    rows = conn.execute(statement, parameters).all()
    if not rows:
        return []
    overlays: dict[str, set[Overlay]] = {}
    for incident_id, kind in conn.execute(_OVERLAYS, {"ids": [row[0] for row in rows]}):
        overlays.setdefault(incident_id, set()).add(Overlay(kind))
    return [_incident(row, frozenset(overlays.get(row[0], ()))) for row in rows]


def _incident(row: Row[Any], overlays: frozenset[Overlay]) -> Incident:
    return Incident(
        id=row.id,
        reference=row.reference,
        dedup_key=row.dedup_key,
        code=row.code,
        cls=SignalClass(row.cls),
        severity=row.severity,
        condition=Condition(row.condition),
        ack=Ack(row.ack),
        work=Work(row.work),
        device_id=row.device_id,
        place_id=row.place_id,
        grid_id=row.grid_id,
        place_text=PlaceText(**row.place_text),
        opened_at=row.opened_at,
        policy=_policy(row.policy),
        extent=Extent(**{name: tuple(entries) for name, entries in row.extent.items()}),
        round=row.round,
        step=row.step,
        due_at=row.due_at,
        due_reason=Reason(row.due_reason) if row.due_reason else None,
        taken_by=row.taken_by,
        taken_at=row.taken_at,
        signals=row.signals,
        version=row.version,
        overlays=overlays,
        raised_by=row.raised_by,
        raised_via=Via(row.raised_via) if row.raised_via else None,
        linked_to=row.linked_to,
        drill_id=row.drill_id,
        shelved_until=row.shelved_until,
        acknowledged_until=row.acknowledged_until,
        acknowledged_by=row.acknowledged_by,
        verified_by=(row.verified or {}).get("by"),
        verified_result=(row.verified or {}).get("result"),
        verified_how=(row.verified or {}).get("how"),
    )


def _policy(stored: dict[str, Any]) -> Policy:
    """The frozen policy; one that many incidents share is read once."""
    key = (stored["name"], stored["version"])
    known = _policies.get(key)
    if known is None or known[0] != stored:
        if len(_policies) >= policies_remembered_max:
            _policies.clear()
        known = _policies[key] = (stored, parse(stored["name"], stored, stored["version"]))
    return known[1]


def extent_values(extent: Extent) -> dict[str, list[str]]:
    return {
        "active": list(extent.active),
        "floors": list(extent.floors),
        "codes": list(extent.codes),
        "rooms": list(extent.rooms),
        "moves": list(extent.moves),
        "spread": list(extent.spread),
    }


def _values(row: Incident) -> dict[str, Any]:
    place = row.place_text
    return {
        "id": row.id,
        "reference": row.reference,
        "dedup_key": row.dedup_key,
        "holds_key": True,
        "code": row.code,
        "cls": row.cls.value,
        "severity": row.severity,
        "condition": row.condition.value,
        "ack": row.ack.value,
        "work": row.work.value,
        "device_id": row.device_id,
        "place_id": row.place_id,
        "grid_id": row.grid_id,
        "place_text": {
            "zh": place.zh,
            "en": place.en,
            "spoken_zh": place.spoken_zh,
            "spoken_en": place.spoken_en,
            "lat": place.lat,
            "lon": place.lon,
        },
        "opened_at": row.opened_at,
        "policy": {**document(row.policy), "name": row.policy.name, "version": row.policy.version},
        "extent": extent_values(row.extent),
        "round": row.round,
        "step": row.step,
        "due_at": row.due_at,
        "due_reason": row.due_reason.value if row.due_reason else None,
        "due_set_at": row.opened_at if row.due_at else None,
        "taken_by": row.taken_by,
        "taken_at": row.taken_at,
        "signals": row.signals,
        "version": row.version,
        "raised_by": row.raised_by,
        "raised_via": row.raised_via.value if row.raised_via else None,
        "linked_to": row.linked_to,
        "drill_id": row.drill_id,
    }
