"""What "also tell" lists want to know: severity-1 incidents that open, are taken and close. Reads only."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, select

from alerting.store.tables import incidents, timeline

severity_told = 1

_NEWS = (
    select(
        timeline.c.seq,
        timeline.c.at,
        timeline.c.kind,
        timeline.c.data,
        incidents.c.reference,
        incidents.c.code,
        incidents.c.place_text,
        incidents.c.drill_id,
    )
    .join(incidents, incidents.c.id == timeline.c.incident_id)
    .where(
        timeline.c.seq > bindparam("after"),
        timeline.c.seq <= bindparam("until"),
        timeline.c.kind.in_(("opened", "work")),
        incidents.c.severity == severity_told,
    )
    .order_by(timeline.c.seq)
    .limit(bindparam("most"))
)


@dataclass(frozen=True, slots=True)
class News:
    """One entry. work: `taken`, `closed` ..., "" when it opened. who: the one who did it."""

    seq: int
    at: datetime
    work: str
    who: str
    reference: str
    code: str
    place: Mapping[str, Any]
    drill: bool


def between(conn: Connection, after: int, until: int, most: int) -> list[News]:
    """In the order in which it was committed."""
    return [_news(*row) for row in conn.execute(_NEWS, {"after": after, "until": until, "most": most})]


def _news(
    seq: int,
    at: datetime,
    kind: str,
    data: Mapping[str, Any] | None,
    reference: str,
    code: str,
    place: Mapping[str, Any],
    drill_id: str | None,
) -> News:
    said = data or {}
    work = str(said.get("work", "")) if kind == "work" else ""
    return News(seq, at, work, str(said.get("name", "")), reference, code, place, drill_id is not None)
