"""A city in memory as rows of import files, like those of the mission's city. Never writes a file.

The telephones of such a city have a digit too many, so no registry would take them: each gets one of `no_telephones`.
"""

from collections.abc import Iterator, Mapping

from devices.model import Channel, Place
from simulators.city_file import City
from simulators.mission_people import GridRow, PersonRow, ShiftRow, no_telephones
from simulators.mission_places import PlaceRow


def place_rows_of(city: City) -> Iterator[PlaceRow]:
    """Every place, parents first, then every device."""
    places = {place.id: place for place in city.places}
    grid_of = {place_id: grid.id for grid in city.grids for place_id in grid.place_ids}
    for place in city.places:
        yield _named(place, places)._replace(
            grid=grid_of.get(place.id, ""),
            name_en=place.name_en,
            code=place.id,
            lat="" if place.lat is None else f"{place.lat:.6f}",
            lon="" if place.lon is None else f"{place.lon:.6f}",
        )
    for device in city.devices:
        row = PlaceRow() if device.place_id is None else _named(places[device.place_id], places)
        yield row._replace(device=device.id, kind=device.kind, state=device.state.value)


def grid_rows_of(city: City) -> Iterator[GridRow]:
    """Without workers: these stand among the shifts."""
    for grid in city.grids:
        yield GridRow(grid.id, grid.name, grid.name_en, grid.community_id or "")


def person_rows_of(city: City) -> Iterator[PersonRow]:
    """Who has a telephone keeps having one."""
    numbers = no_telephones()
    for person in city.people:
        channels = [point.channel for point in person.contacts]
        phone = next(numbers) if set(channels) - {Channel.APP} else ""
        own = (person.id, person.name, person.name_en, person.kind.value)
        yield PersonRow(*own, "", phone, person.language.value, " ".join(channels))


def shift_rows_of(city: City) -> Iterator[ShiftRow]:
    """As they stand; a made-up city has only standing duty."""
    for shift in city.shifts:
        yield ShiftRow(shift.role.value, shift.person_id, shift.grid_id or "", shift.place_id or "", str(shift.rank))


def _named(place: Place, places: Mapping[str, Place]) -> PlaceRow:
    """A row that names this place and all above it."""
    on_path = [places[place_id] for place_id in place.path]
    assert len({each.kind for each in on_path}) == len(on_path), "one level twice: no column says that"
    return PlaceRow()._replace(**{each.kind.value: each.name for each in on_path})
