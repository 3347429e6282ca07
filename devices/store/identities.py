"""Queries on identities: under which names senders know a device. Decides nothing."""

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, delete, insert, select

from devices.identities import Identity
from devices.model import IdentityKind
from devices.store.lists import one_of
from devices.store.tables_devices import device_identities

_T = device_identities.c
_OF = select(_T.device_id, _T.kind, _T.external_id, _T.dialect).where(one_of(_T.device_id, "device_ids"))
_NAMED = select(_T.external_id, _T.kind, _T.dialect, _T.device_id).where(one_of(_T.external_id, "values"))


def of(conn: Connection, device_ids: Sequence[str]) -> dict[str, tuple[Identity, ...]]:
    """The identities of these devices, in one order; devices without any are left out."""
    found: dict[str, list[Identity]] = {}
    query = _OF.order_by(_T.kind, _T.external_id, _T.dialect)
    for device_id, kind, value, dialect in conn.execute(query, {"device_ids": list(device_ids)}):
        found.setdefault(device_id, []).append(Identity(IdentityKind(kind), value, dialect))
    return {device_id: tuple(identities) for device_id, identities in found.items()}


def named(conn: Connection, values: Iterable[str]) -> list[tuple[Identity, str]]:
    """(identity, device id) of every identity with one of these values, whatever its kind and dialect."""
    rows = conn.execute(_NAMED.order_by(_T.external_id, _T.dialect), {"values": list(values)})
    return [(Identity(IdentityKind(kind), value, dialect), device_id) for value, kind, dialect, device_id in rows]


def holders(conn: Connection, identity: Identity) -> tuple[str, ...]:
    """The devices that have this identity; several only where the dialect is "" and makers share a serial number."""
    return tuple(dict.fromkeys(device for own, device in named(conn, [identity.value]) if same(own, identity)))


def same(one: Identity, other: Identity) -> bool:
    """IMEI and DevEUI are unique in the world; anything else within its dialect, "" standing for any."""
    if (one.kind, one.value) != (other.kind, other.value):
        return False
    worldwide = one.kind in (IdentityKind.IMEI, IdentityKind.DEV_EUI)
    return worldwide or "" in (one.dialect, other.dialect) or one.dialect == other.dialect


def put(conn: Connection, device_id: str, identities: Iterable[Identity]) -> None:
    """These and no others from now on. IntegrityError for one that another device has."""
    conn.execute(delete(device_identities).where(_T.device_id == device_id))
    add_many(conn, ((device_id, identity) for identity in identities))


def add_many(conn: Connection, pairs: Iterable[tuple[str, Identity]]) -> None:
    """(device id, identity); each with its dialect."""
    values = [
        {
            "dialect": identity.dialect,
            "external_id": identity.value,
            "kind": identity.kind.value,
            "device_id": device_id,
        }
        for device_id, identity in pairs
    ]
    if values:
        conn.execute(insert(device_identities), values)
