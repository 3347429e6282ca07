"""Commands to devices, and who may be commanded: plan once, claim, settle once, list. Never decides, never sends."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, delete, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from alerting.core.commands import FINAL, RANK, Actuator, CommandState
from alerting.core.model import Action
from alerting.store.tables import incidents
from alerting.store.tables_commands import commands, device_actions
from devices.model import DeviceState
from devices.store.lists import one_of
from devices.store.scope import EVERYTHING, SEPARATOR, Scope
from devices.store.tables import devices, places
from devices.store.tables_devices import device_models

resend_s = 3
"""A command that was not answered is sent again after so long, as the same command."""
actuators_most = 200


@dataclass(frozen=True, slots=True)
class Command:
    """`reason`: why it was refused or failed. `asked_why`: what a person gave as his reason."""

    id: str
    device_id: str
    action: Action
    args: dict[str, Any]
    state: CommandState
    planned_at: datetime
    expires_at: datetime
    key: str | None = None
    incident_id: str | None = None
    reason: str | None = None
    values: dict[str, Any] | None = None
    asked_by: str = ""
    asked_by_name: str = ""
    asked_why: str | None = None
    sends: int = 0
    sent_at: datetime | None = None
    answered_at: datetime | None = None
    audited_at: datetime | None = None
    told: int | None = None


@dataclass(frozen=True, slots=True)
class Permission:
    """What is known of one action of one device."""

    action: Action
    own: bool = False
    """The device itself declared it, whatever its model says."""
    of_model: bool = False
    permitted: bool = False
    permitted_by: str | None = None
    permitted_at: datetime | None = None

    @property
    def declared(self) -> bool:
        return self.own or self.of_model


@dataclass(frozen=True, slots=True)
class Filter:
    """None: any. `within`: where the device stands, or the incident happened."""

    device_id: str | None = None
    incident_id: str | None = None
    state: CommandState | None = None
    within: Scope = EVERYTHING


_NAMES = tuple(Command.__dataclass_fields__)
_SELECT = select(*(commands.c[name] for name in _NAMES))
_INSERT = {
    "sqlite": sqlite.insert(commands).on_conflict_do_nothing().returning(commands.c.id),
    "postgresql": postgresql.insert(commands).on_conflict_do_nothing().returning(commands.c.id),
}
_WAITING = commands.c.due_at.is_not(None)
_DUE = (
    _SELECT.where(_WAITING, commands.c.due_at <= bindparam("now"), commands.c.expires_at > bindparam("now"))
    .order_by(commands.c.due_at, commands.c.id)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
)
_ANY_DUE = select(commands.c.id).where(_WAITING, commands.c.due_at <= bindparam("now")).limit(1)
_ANY_UNAUDITED = select(commands.c.id).where(commands.c.audited_at.is_(None)).limit(1)
_EXPIRED = (
    select(commands.c.id)
    .where(_WAITING, commands.c.expires_at <= bindparam("now"))
    .order_by(commands.c.id)
    .limit(bindparam("most"))
)


def plan(conn: Connection, rows: Sequence[Command]) -> set[str]:
    """Insert; the ids written. A key that is there already keeps its command."""
    if not rows:
        return set()
    values = [
        {name: getattr(row, name) for name in _NAMES}
        | {"rank": RANK[row.state], "due_at": None if row.state in FINAL else row.planned_at}
        for row in rows
    ]
    return {row[0] for row in conn.execute(_INSERT[conn.dialect.name], values)}


def take_due(conn: Connection, now: datetime, most: int) -> list[Command]:
    """Those to be sent now; each comes back after `resend_s` unless it is answered or has expired."""
    found = [_command(row) for row in conn.execute(_DUE, {"now": now, "most": most})]
    if found:
        claim = update(commands).where(one_of(commands.c.id, "ids"))
        claim = claim.values(due_at=now + timedelta(seconds=resend_s), sends=commands.c.sends + 1)
        conn.execute(claim, {"ids": [each.id for each in found]})
    return found


def any_due(conn: Connection, now: datetime) -> bool:
    """Mostly not: then nobody need write."""
    return conn.execute(_ANY_DUE, {"now": now}).first() is not None


def mark_sent(conn: Connection, command_id: str, now: datetime) -> bool:
    """Handed to the broker for the first time; False: it was before, or it is settled already."""
    query = update(commands).where(commands.c.id == command_id, commands.c.rank < RANK[CommandState.SENT])
    return (
        conn.execute(query.values(state=CommandState.SENT.value, rank=RANK[CommandState.SENT], sent_at=now)).rowcount
        == 1
    )


def unaudited(conn: Connection, most: int) -> list[Command]:
    """Commands that the audit does not know of yet, locked."""
    query = _SELECT.where(commands.c.audited_at.is_(None)).order_by(commands.c.id).limit(most)
    return [_command(row) for row in conn.execute(query.with_for_update(skip_locked=True))]


def any_unaudited(conn: Connection) -> bool:
    """Mostly not: then nobody need write."""
    return conn.execute(_ANY_UNAUDITED).first() is not None


def mark_audited(conn: Connection, command_ids: Collection[str], now: datetime) -> None:
    query = update(commands).where(one_of(commands.c.id, "ids")).values(audited_at=now)
    conn.execute(query, {"ids": list(command_ids)})


def expired_ids(conn: Connection, now: datetime, most: int) -> list[str]:
    return list(conn.scalars(_EXPIRED, {"now": now, "most": most}))


def get(conn: Connection, command_id: str, *, locked: bool = False) -> Command | None:
    query = _SELECT.where(commands.c.id == command_id)
    row = conn.execute(query.with_for_update() if locked else query).first()
    return None if row is None else _command(row)


def settle(
    conn: Connection,
    command_id: str,
    state: CommandState,
    now: datetime,
    *,
    reason: str | None = None,
    values: Mapping[str, Any] | None = None,
    told: int | None = None,
) -> bool:
    """Its end, once: False where it has ended already."""
    query = update(commands).where(commands.c.id == command_id, commands.c.rank < RANK[state])
    answered = now if state is not CommandState.EXPIRED else None
    kept = {"reason": reason, "values": dict(values) if values else None, "told": told, "answered_at": answered}
    written = conn.execute(query.values(state=state.value, rank=RANK[state], due_at=None, **kept))
    return written.rowcount == 1


def told(conn: Connection, incident_id: str) -> int:
    """How many failed cut-offs of an incident were told to people."""
    query = select(func.count()).select_from(commands)
    return conn.scalar(query.where(commands.c.incident_id == incident_id, commands.c.told.is_not(None))) or 0


def still_live(conn: Connection, incident_id: str) -> list[str]:
    """Devices whose power was to be cut for this incident, and whose newest command has failed or expired."""
    query = select(commands.c.device_id, commands.c.state).where(
        commands.c.incident_id == incident_id, commands.c.action == Action.CUT_POWER.value
    )
    query = query.where(commands.c.state != CommandState.REFUSED.value)
    rows = conn.execute(query.order_by(commands.c.planned_at, commands.c.id))
    newest = {device_id: state for device_id, state in rows}  # noqa: C416 - the last one of each stays
    return [device for device, state in newest.items() if state in (CommandState.FAILED, CommandState.EXPIRED)]


def forget_before(conn: Connection, before: datetime, most: int) -> int:
    """Old ones that have come to their end; how many."""
    ids = list(conn.scalars(select(commands.c.id).where(commands.c.planned_at < before, ~_WAITING).limit(most)))
    if ids:
        conn.execute(delete(commands).where(one_of(commands.c.id, "ids")), {"ids": ids})
    return len(ids)


def page(conn: Connection, wanted: Filter, before: str | None, limit: int) -> list[Command]:
    """Newest first, those before this id."""
    query = _SELECT.where(_seen(wanted.within)).order_by(commands.c.id.desc()).limit(limit)
    if before is not None:
        query = query.where(commands.c.id < before)
    pairs = (
        (commands.c.device_id, wanted.device_id),
        (commands.c.incident_id, wanted.incident_id),
        (commands.c.state, wanted.state.value if wanted.state else None),
    )
    for column, value in pairs:
        if value is not None:
            query = query.where(column == value)
    return [_command(row) for row in conn.execute(query)]


def seen(conn: Connection, command_id: str, within: Scope) -> Command | None:
    """One command, if its device or its incident lies within the scope."""
    row = conn.execute(_SELECT.where(commands.c.id == command_id, _seen(within))).first()
    return None if row is None else _command(row)


def _seen(within: Scope) -> Any:
    if within.everything:
        return and_(True)
    mine = select(devices.c.id).where(devices.c.id == commands.c.device_id, within.at_place(devices.c.place_id))
    there = select(incidents.c.id).where(
        incidents.c.id == commands.c.incident_id, within.at_place(incidents.c.place_id)
    )
    return or_(mine.exists(), there.exists())


# ---- who may be commanded -------------------------------------------------------------------------------------------

_DECLARES = (
    select(devices.c.id, device_models.c.actions, device_actions.c.action, device_actions.c.declared)
    .add_columns(device_actions.c.permitted, device_actions.c.permitted_by, device_actions.c.permitted_at)
    .select_from(
        devices.outerjoin(places, places.c.id == devices.c.place_id)
        .outerjoin(device_models, device_models.c.id == devices.c.model_id)
        .outerjoin(device_actions, device_actions.c.device_id == devices.c.id)
    )
    .where(
        devices.c.state != DeviceState.REMOVED.value,
        devices.c.parent_id.is_(None),  # a port: its station is commanded
        or_(device_models.c.actions.is_not(None), device_actions.c.device_id.is_not(None)),
    )
    .order_by(devices.c.id, device_actions.c.action)
)


def actuators(
    conn: Connection, action: Action, *, place_id: str | None, device_id: str, building: Sequence[str] = ()
) -> list[Actuator]:
    """Devices that declared the action: the one named, and those at the place, or with `building` all below it."""
    at = [devices.c.id == device_id]
    if building:
        at.append(Scope((SEPARATOR.join(building),)).on_path(places.c.path))
    elif place_id is not None:
        at.append(devices.c.place_id == place_id)
    found = _permissions(conn.execute(_DECLARES.where(or_(*at))))
    able = [
        Actuator(device, action, known[action].permitted)
        for device, known in found.items()
        if action in known and known[action].declared
    ]
    return able[:actuators_most]


def permissions(conn: Connection, device_id: str) -> list[Permission]:
    """Every action, declared or not, of one device."""
    found = _permissions(conn.execute(_DECLARES.where(devices.c.id == device_id))).get(device_id, {})
    return [found.get(action) or Permission(action) for action in Action]


def permit(conn: Connection, device_id: str, wanted: Permission) -> None:
    """Write what is known of one action of one device."""
    row = {
        "device_id": device_id,
        "action": wanted.action.value,
        "declared": wanted.own,
        "permitted": wanted.permitted,
        "permitted_by": wanted.permitted_by,
        "permitted_at": wanted.permitted_at,
    }
    insert = (sqlite.insert if conn.dialect.name == "sqlite" else postgresql.insert)(device_actions).values(**row)
    keys = ("device_id", "action")
    conn.execute(
        insert.on_conflict_do_update(
            index_elements=list(keys), set_={name: value for name, value in row.items() if name not in keys}
        )
    )


def paths(conn: Connection, device_ids: Collection[str]) -> dict[str, str]:
    """Where these devices stand, as paths."""
    query = select(devices.c.id, places.c.path).join(places, places.c.id == devices.c.place_id)
    return {row[0]: row[1] for row in conn.execute(query.where(one_of(devices.c.id, "ids")), {"ids": list(device_ids)})}


def _permissions(rows: Iterable[Row[Any]]) -> dict[str, dict[Action, Permission]]:
    found: dict[str, dict[Action, Permission]] = {}
    words = {action.value for action in Action}
    for row in rows:
        device_id, of_model, action, own, permitted, by, at = tuple(row)
        known = found.setdefault(device_id, {})
        of_model = [Action(each) for each in of_model or () if each in words]
        for each in of_model:
            known.setdefault(each, Permission(each, of_model=True))
        if action in words:
            mine = Action(action)
            known[mine] = Permission(mine, bool(own), mine in of_model, bool(permitted), by, at)
    return found


def _command(row: Row[Any]) -> Command:
    values = row._asdict()
    return Command(**values | {"action": Action(values["action"]), "state": CommandState(values["state"])})
