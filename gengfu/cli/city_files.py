"""A city as CSV files, one per table, codes instead of ids. Never reads one back."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from devices.model import Channel, Person, Place, Shift
from simulators.city import City


def write_city(city: City, directory: Path) -> Iterator[tuple[Path, int]]:
    """Write places, grids, workers, shifts and devices; yields each file with its number of rows.

    UTF-8 with a byte-order mark, so that spreadsheet programs read the names. Parents stand before children.
    """
    directory.mkdir(parents=True, exist_ok=True)
    for name, head, rows in _tables(city):
        file = directory / f"{name}.csv"
        with file.open("w", encoding="utf-8-sig", newline="") as opened:
            writer = csv.writer(opened)
            writer.writerow(head)
            count = 0
            for row in rows:
                writer.writerow(["" if value is None else value for value in row])
                count += 1
        yield file, count


def _tables(city: City) -> Iterator[tuple[str, Sequence[str], Iterable[Sequence[object]]]]:
    yield (
        "places",
        ("code", "parent", "kind", "name", "name_en", "lat", "lon"),
        (
            (place.id, _parent(place), place.kind.value, place.name, place.name_en, place.lat, place.lon)
            for place in city.places
        ),
    )
    yield (
        "grids",
        ("code", "name", "name_en", "community", "places"),
        ((grid.id, grid.name, grid.name_en, grid.community_id, " ".join(grid.place_ids)) for grid in city.grids),
    )
    yield (
        "workers",
        ("code", "kind", "name", "name_en", "language", "phone", "app"),
        map(_worker, city.people),
    )
    yield (
        "shifts",
        ("role", "worker", "grid", "place", "starts_at", "ends_at", "rank"),
        map(_shift, city.shifts),
    )
    yield (
        "devices",
        ("id", "kind", "place", "codec", "state", "supervision_window_s"),
        (
            (device.id, device.kind, device.place_id, device.codec, device.state.value, device.supervision_window_s)
            for device in city.devices
        ),
    )


def _parent(place: Place) -> str | None:
    return place.path[-2] if len(place.path) > 1 else None


def _worker(person: Person) -> tuple[object, ...]:
    point = person.contact(Channel.SMS) or person.contact(Channel.VOICE)
    phone = None if point is None else point.address
    app = "yes" if person.contact(Channel.APP) else "no"
    return person.id, person.kind.value, person.name, person.name_en, person.language.value, phone, app


def _shift(shift: Shift) -> tuple[object, ...]:
    starts, ends = (None if at is None else at.isoformat() for at in (shift.starts_at, shift.ends_at))
    return shift.role.value, shift.person_id, shift.grid_id, shift.place_id, starts, ends, shift.rank
