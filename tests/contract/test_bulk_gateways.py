"""Gateways in import files: by a device's id, also one further down; nobody, or the device itself, is refused."""

from devices.store.tables import devices
from tests.contract.bulk_support import Bulk, codes
from tests.contract.test_bulk_import import room

pytest_plugins = ["tests.contract.bulk_fixtures"]


def _behind(bulk: Bulk) -> dict[str, str | None]:
    return dict(bulk.rows(devices, "id", "gateway_id"))


def test_a_gateway_may_stand_further_down_and_comes_back_in_the_export(bulk: Bulk) -> None:
    first = bulk.places(room("301", "smoke-0301", gateway="gate-0001"), room("101", "gate-0001"))
    assert first.applied, codes(first)
    assert _behind(bulk) == {"smoke-0301": "gate-0001", "gate-0001": None}
    assert ",gate-0001" in "".join(bulk.export().values())

    kept = bulk.places(room("301", "smoke-0301"))
    assert kept.plan.changes == 0, "an empty cell leaves what is known"
    assert bulk.places(room("302", "smoke-0302", gateway="gate-0001")).applied
    assert _behind(bulk)["smoke-0302"] == "gate-0001"


def test_nobody_and_itself_are_refused(bulk: Bulk) -> None:
    refused = bulk.places(
        room("301", "smoke-0301", gateway="gate-0009"), room("302", "smoke-0302", gateway="smoke-0302")
    )
    assert not refused.applied
    assert [code for _, code in codes(refused)] == ["unknown_gateway", "unknown_gateway"]
