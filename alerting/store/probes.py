"""Probes: messages of no incident (codes, test calls, real words of a test). Insert, claim, settle. Never decides."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, func, insert, select, update

from alerting.core import templates
from alerting.core.attempts import RANK
from alerting.core.model import AttemptState
from alerting.core.templates import Wording
from alerting.store.tables_testing import probes
from devices.model import Channel, Language
from devices.store.tables import contact_points

lease_s = 15.0
sends_max = 2
"""Once, and once more after a crash in between."""


@dataclass(frozen=True, slots=True)
class Probe:
    """`id` is the attempt id that the provider calls back with. `text`: as in a submission; emptied once sent where it
    holds a code."""

    id: str
    kind: str
    channel: Channel
    address: str
    language: Language
    text: str
    created_at: datetime
    send_before: datetime
    expires_at: datetime
    contact_id: str | None = None
    walk_test_id: str | None = None
    person_id: str | None = None
    code_hash: str | None = None
    state: AttemptState = AttemptState.PLANNED
    tries: int = 0
    sends: int = 0
    error: str | None = None
    confirmed_at: datetime | None = None
    denied_at: datetime | None = None
    provider: str | None = None
    """Who carries it; committed before it is sent."""
    wording: Wording | None = None
    """The text for carriers of registered templates; emptied with it."""
    subscription_id: str | None = None
    """The one that it goes to, and no other; None: wherever the person is found."""


_NAMES = tuple(Probe.__dataclass_fields__)
_SELECT = select(*(probes.c[name] for name in _NAMES))
_DUE = _SELECT.where(probes.c.due_at <= bindparam("now"), probes.c.channel.in_(bindparam("channels", expanding=True)))
_ANY_DUE = _DUE.limit(1)
_CLAIM = _DUE.order_by(probes.c.due_at).limit(bindparam("most")).with_for_update(skip_locked=True)


def add(conn: Connection, probe: Probe) -> None:
    """Planned: to be sent at once."""
    values: dict[str, Any] = {name: getattr(probe, name) for name in _NAMES}
    values["wording"] = templates.document(probe.wording)
    conn.execute(insert(probes).values(**values, rank=RANK[probe.state], due_at=probe.created_at))


def get(conn: Connection, probe_id: str) -> Probe | None:
    """Locked: a decision rests on it."""
    row = conn.execute(_SELECT.where(probes.c.id == probe_id).with_for_update()).first()
    return None if row is None else _probe(row)


def newest_of_contact(conn: Connection, contact_id: str, *, locked: bool = True) -> Probe | None:
    """The last one that was asked for; locked where a decision rests on it."""
    query = _SELECT.where(probes.c.contact_id == contact_id).order_by(probes.c.created_at.desc(), probes.c.id.desc())
    query = query.limit(1)
    row = conn.execute(query.with_for_update() if locked else query).first()
    return None if row is None else _probe(row)


def of_walk_test(conn: Connection, test_id: str) -> list[Probe]:
    """The real text and call of a test."""
    return [_probe(row) for row in conn.execute(_SELECT.where(probes.c.walk_test_id == test_id).order_by(probes.c.id))]


def sent_since(conn: Connection, channel: Channel, address: str, since: datetime) -> int:
    """How many this number was sent, or is to be sent, since then. Whoever asks next waits: the contact is locked."""
    at = (contact_points.c.channel == channel.value, contact_points.c.address == address)
    conn.execute(select(contact_points.c.id).where(*at).order_by(contact_points.c.id).with_for_update())
    mine = (probes.c.channel == channel.value, probes.c.address == address, probes.c.created_at > since)
    return conn.scalar(select(func.count()).select_from(probes).where(*mine)) or 0


def any_due(conn: Connection, now: datetime, channels: Collection[Channel]) -> bool:
    parameters = {"now": now, "channels": [channel.value for channel in channels]}
    return conn.execute(_ANY_DUE, parameters).first() is not None


def claim(
    conn: Connection,
    now: datetime,
    boot: int,
    channels: Collection[Channel],
    most: int,
    pick: Callable[[Probe], str] = lambda probe: probe.provider or "",
) -> list[Probe]:
    """Lease what is due, to send now. What is too late for that expires; what was sent twice is given up. `pick`: by
    which carrier; '' where nobody can take it now."""
    parameters = {"now": now, "channels": [channel.value for channel in channels], "most": most}
    taken = []
    for row in conn.execute(_CLAIM, parameters).fetchall():
        probe = _probe(row)
        if probe.send_before <= now:
            settle(conn, probe, AttemptState.EXPIRED)
        elif probe.sends >= sends_max:
            settle(conn, probe, AttemptState.UNKNOWN)
        else:
            probe = replace(probe, provider=pick(probe))
            lease = {"lease_boot": boot, "due_at": now + timedelta(seconds=lease_s), "sends": probe.sends + 1}
            _update(conn, probe.id, AttemptState.SENDING, **lease, provider=probe.provider)
            taken.append(probe)
    return taken


def again(conn: Connection, probe: Probe, at: datetime) -> None:
    """It was certainly not sent: try again then."""
    query = update(probes).where(probes.c.id == probe.id)
    conn.execute(query.values(due_at=at, sends=probe.sends, lease_boot=None))


def settle(
    conn: Connection, probe: Probe, state: AttemptState, provider_ref: str | None = None, error: str | None = None
) -> None:
    """Nothing is left to be sent. A text is forgotten with its code; a call's script is needed while it lasts."""
    kept = {} if probe.channel is Channel.VOICE else {"text": "", "wording": None}
    _update(conn, probe.id, state, due_at=None, provider_ref=provider_ref, error=error, **kept)


def receive(conn: Connection, probe_id: str, state: AttemptState, provider_ref: str, error: str) -> bool:
    """A provider's word; ranks only rise. False: no probe of ours."""
    if conn.execute(select(probes.c.id).where(probes.c.id == probe_id)).first() is None:
        return False
    _update(conn, probe_id, state, **({"provider_ref": provider_ref} if provider_ref else {}))
    if error:
        conn.execute(update(probes).where(probes.c.id == probe_id).values(error=error[:64]))
    return True


def count_try(conn: Connection, probe_id: str) -> None:
    conn.execute(update(probes).where(probes.c.id == probe_id).values(tries=probes.c.tries + 1))


def confirm(conn: Connection, probe_id: str, now: datetime) -> None:
    _update(conn, probe_id, AttemptState.TAKEN, confirmed_at=now, due_at=None)


def deny(conn: Connection, probe_id: str, now: datetime) -> None:
    """Whoever answered says that it is not his number."""
    conn.execute(update(probes).where(probes.c.id == probe_id).values(denied_at=now))


def call_script(conn: Connection, probe_id: str) -> str | None:
    """What a probe's call says; None for no call of ours."""
    query = select(probes.c.text).where(probes.c.id == probe_id, probes.c.channel == Channel.VOICE.value)
    return conn.scalar(query)


def delete_before(conn: Connection, before: datetime, most: int) -> int:
    ids = list(conn.scalars(select(probes.c.id).where(probes.c.created_at < before).limit(most)))
    if ids:
        conn.execute(delete(probes).where(probes.c.id.in_(ids)))
    return len(ids)


def _update(conn: Connection, probe_id: str, state: AttemptState, **values: Any) -> None:
    """The state where it is higher, and these columns in any case."""
    rank = RANK[state]
    conn.execute(
        update(probes).where(probes.c.id == probe_id, probes.c.rank < rank).values(state=state.value, rank=rank)
    )
    if values:
        conn.execute(update(probes).where(probes.c.id == probe_id).values(**values))


def _probe(row: Row[Any] | Sequence[Any]) -> Probe:
    values = dict(zip(_NAMES, row, strict=True))
    values["channel"], values["language"] = Channel(values["channel"]), Language(values["language"])
    values["wording"] = templates.of_document(values["wording"])
    return Probe(**values | {"state": AttemptState(values["state"])})
