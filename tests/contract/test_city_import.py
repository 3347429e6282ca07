"""The files of a made-up city are taken by the import as they stand: no fault, and everything is there afterwards."""

import json
from collections.abc import Callable
from typing import TypeVar

import pytest
from sqlalchemy import ColumnElement, Connection, Table, func, select

from devices.model import Placement, Role
from devices.resolve import on_duty, place_device
from devices.store import snapshot
from devices.store.tables import devices, grid_places, grids, people, places, shifts
from devices.store.tables_duty import grid_members
from devices.store.tables_places import compounds
from gengfu import reading
from gengfu.clock import SystemClock
from simulators.city import load_city
from simulators.mission_places import device_id
from tests.contract.cli_support import Shell

pytest_plugins = ["tests.contract.cli_fixtures"]

T = TypeVar("T")
few = 300


@pytest.mark.timeout(300)  # the smallest city has 121,000 rows, and they are read twice
def test_a_generated_city_is_imported_without_a_fault(on_sqlite: Shell) -> None:
    on_sqlite.ok("simulate", "city", "made", "--devices", str(few))
    told = on_sqlite.ok("registry", "import", "made", "--dry-run", "--json")
    assert json.loads("".join(told))["warnings_total"] == 0
    assert _read(on_sqlite, lambda conn: _count(conn, places)) == 0
    on_sqlite.ok("registry", "import", "made")
    assert _read(on_sqlite, _counts) == {
        "compounds": 3_800,
        "with a company": 754,
        "owners": 121,
        "self_management": 1_466,
        "grids": 18_100,
        "covered": 36_200,
        "members": 39_300,
        "stewards": 6_957,
        "people": 50_938,
        "devices": few,
    }
    assert _read(on_sqlite, _unanswered) == []


def test_the_street_of_the_demonstration_is_imported_without_a_fault(upgraded: Shell) -> None:
    upgraded.ok("simulate", "city", "street", "--demo")
    upgraded.ok("registry", "import", "street")
    street = load_city()
    assert _read(upgraded, lambda conn: _count(conn, places)) == len(street.places)
    assert _read(upgraded, lambda conn: _count(conn, grid_places)) == sum(len(grid.place_ids) for grid in street.grids)
    assert _read(upgraded, lambda conn: _count(conn, shifts)) == len(street.shifts)
    assert _read(upgraded, lambda conn: _count(conn, devices)) == len(street.devices)


def _read(shell: Shell, work: Callable[[Connection], T]) -> T:
    return reading.read(shell.database_url, work)


def _count(conn: Connection, table: Table, *conditions: ColumnElement[bool]) -> int:
    return conn.scalar(select(func.count()).select_from(table).where(*conditions)) or 0


def _counts(conn: Connection) -> dict[str, int]:
    return {
        "compounds": _count(conn, compounds),
        "with a company": _count(conn, compounds, compounds.c.property_company_id.is_not(None)),
        "owners": _count(conn, compounds, compounds.c.committee == "owners"),
        "self_management": _count(conn, compounds, compounds.c.committee == "self_management"),
        "grids": _count(conn, grids),
        "covered": _count(conn, grid_places),
        "members": _count(conn, grid_members),
        "stewards": _count(conn, shifts, shifts.c.role == Role.BUILDING_STEWARD.value),
        "people": _count(conn, people),
        "devices": _count(conn, devices),
    }


def _unanswered(conn: Connection) -> list[str]:
    """Devices for which nobody stands on the first step."""
    now = SystemClock().now()
    ids = [device_id(number) for number in range(few)]
    known = snapshot.load(conn, ids, now)
    placed = {each: place_device(known, each) for each in ids}
    return [
        each
        for each, placement in placed.items()
        if not isinstance(placement, Placement) or not on_duty(known, placement, Role.GRID_WORKER, now)
    ]
