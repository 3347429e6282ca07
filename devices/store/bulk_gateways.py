"""Whether the gateways that files name exist: in the registry, or further down in the same files. Writes nothing."""

from sqlalchemy import select

from devices.store.bulk_work import Work
from devices.store.lists import one_of
from devices.store.tables import devices, places

_NAMED = (
    "SELECT d.src, d.row, d.id, d.gateway FROM device d WHERE d.op != 1 AND d.gateway IS NOT NULL"
    " AND (d.gateway = d.id OR NOT EXISTS (SELECT 1 FROM device g WHERE g.id = d.gateway)) ORDER BY d.n"
)
_KNOWN = (
    select(devices.c.id, places.c.path)
    .select_from(devices.outerjoin(places, places.c.id == devices.c.place_id))
    .where(one_of(devices.c.id, "ids"), devices.c.state != "removed")
)
named_at_once = 5_000


def find_gateways(work: Work) -> None:
    """A fault for each row whose gateway is nobody, itself, or of a place that the importer may not see."""
    rows = [tuple(row) for row in work.stage.query(_NAMED)]
    wanted = sorted({gateway for _, _, device, gateway in rows if gateway != device})
    known: set[str] = set()
    for start in range(0, len(wanted), named_at_once):
        found = work.conn.execute(_KNOWN, {"ids": wanted[start : start + named_at_once]})
        known |= {id_ for id_, path in found if work.scope.everything or work.scope.covers(path)}
    for src, number, device, gateway in rows:
        if gateway == device or gateway not in known:
            work.faults.add(work.tables[src].fault(number, "gateway", "unknown_gateway", value=gateway))
