"""The list of work orders: open incidents of class S and T by place and device. A view; never writes, never decides."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select

from alerting.core.model import Work
from alerting.store.tables import incidents
from alerting.store.views import ALL, Sight
from devices.store.scope import EVERYTHING, Scope
from devices.taxonomy import SignalClass

KINDS = (SignalClass.S, SignalClass.T)
items_most = 50
"""Shown of one place and device."""
_DONE = (Work.VERIFIED.value, Work.CLOSED.value, Work.EVALUATED.value)
_place_or_none = func.coalesce(incidents.c.place_id, "")
_device_or_none = func.coalesce(incidents.c.device_id, "")


@dataclass(frozen=True, slots=True)
class OrderFilter:
    """None means: any."""

    classes: tuple[SignalClass, ...] = KINDS
    below: Scope = EVERYTHING
    grid_id: str | None = None
    code: str | None = None
    opened_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """What waits at one place and device, the worst and oldest first. Either may be empty."""

    place_id: str
    device_id: str
    incidents: tuple[Any, ...]

    @property
    def key(self) -> str:
        return f"{self.place_id}|{self.device_id}"


def page(conn: Connection, wanted: OrderFilter, after: str | None, limit: int, sight: Sight = ALL) -> list[Order]:
    """In order of places and devices; `after` is the key of the last one seen."""
    where = _where(wanted, sight)
    groups = (
        select(_place_or_none, _device_or_none)
        .where(*where)
        .group_by(_place_or_none, _device_or_none)
        .order_by(_place_or_none, _device_or_none)
        .limit(limit)
    )
    if after is not None:
        place, _, device = after.partition("|")
        groups = groups.where(or_(_place_or_none > place, and_(_place_or_none == place, _device_or_none > device)))
    return [Order(row[0], row[1], _items(conn, row[0], row[1], where)) for row in conn.execute(groups).all()]


def _items(conn: Connection, place_id: str, device_id: str, where: Sequence[ColumnElement[bool]]) -> tuple[Any, ...]:
    place = incidents.c.place_id == place_id if place_id else incidents.c.place_id.is_(None)
    device = incidents.c.device_id == device_id if device_id else incidents.c.device_id.is_(None)
    order = (incidents.c.severity, incidents.c.opened_at, incidents.c.id)
    return tuple(conn.execute(select(incidents).where(*where, place, device).order_by(*order).limit(items_most)))


def _where(wanted: OrderFilter, sight: Sight) -> list[ColumnElement[bool]]:
    where = [
        incidents.c.closed_at.is_(None),
        incidents.c.work.not_in(_DONE),
        incidents.c.cls.in_([cls.value for cls in wanted.classes]),
        incidents.c.drill_id.is_(None),
        wanted.below.at_place(incidents.c.place_id),
        sight.condition(),
    ]
    if wanted.grid_id is not None:
        where.append(incidents.c.grid_id == wanted.grid_id)
    if wanted.code is not None:
        where.append(incidents.c.code == wanted.code)
    if wanted.opened_before is not None:
        where.append(incidents.c.opened_at <= wanted.opened_before)
    return where
