"""Put a simulated city into an empty registry: places, grids, people, duty, devices with credentials. Never touches one
that has a device of its own.
"""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection

from alerting.ports import Ids
from devices.store import devices, grids, people, places, shifts
from simulators.city import City


def seed(
    conn: Connection, city: City, *, now: datetime, ids: Ids, credentials: Mapping[str, str] | None = None
) -> None:
    """One transaction's work. `credentials`: device id -> what the broker stores of its secret."""
    places.insert_many(
        conn,
        [
            places.PlaceRow(p.id, p.kind, p.name, p.name_en, p.path, code=p.id, lat=p.lat, lon=p.lon)
            for p in city.places
        ],
    )
    grids.insert_many(
        conn, [grids.GridRow(g.id, g.id, g.name, g.name_en, g.community_id, g.place_ids) for g in city.grids]
    )
    people.insert_many(conn, [people.PersonRow(p.id, p.kind, p.id, p.name, p.name_en, p.language) for p in city.people])
    people.add_contacts(
        conn,
        [
            people.ContactRow(ids.uuid7(), person.id, point.channel, point.address, verified_at=now)
            for person in city.people
            for point in person.contacts
        ],
    )
    shifts.insert_many(conn, [shifts.ShiftRow(shift) for shift in city.shifts])
    devices.insert_many(conn, [devices.DeviceRow(device, now) for device in city.devices])
    for device_id, hashed in (credentials or {}).items():
        devices.set_credential(conn, device_id, hashed)
