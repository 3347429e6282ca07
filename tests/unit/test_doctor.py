"""What the doctor makes of a registry, a clock and settings: pure, so every fault can be shown."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from devices.model import Channel, ContactPoint, Language, Person, PersonKind, Role, Shift
from devices.resolve import RegistrySnapshot
from gengfu.doctor_findings import (
    Registry,
    callback_finding,
    clock_finding,
    https_finding,
    import_finding,
    providers_finding,
    roster_finding,
    workers_finding,
)
from gengfu.settings import Settings, load_settings

NOW = datetime(2026, 11, 23, 3, 12, 9, tzinfo=UTC)
SMS = ContactPoint(Channel.SMS, "+8610000000001")
APP = ContactPoint(Channel.APP, "w1")
WORKER = Person("w1", PersonKind.WORKER, "网格员甲", "Grid worker A", Language.ZH_CN, (SMS, APP))
STANDING = Shift("s1", Role.GRID_WORKER, "w1", "g1", None, None, None)
TWILIO = {
    "GENGFU_TWILIO__ACCOUNT_SID": "AC1",
    "GENGFU_TWILIO__AUTH_TOKEN": "token",
    "GENGFU_TWILIO__FROM_NUMBER": "+15005550006",
}


def registry(*shifts: Shift, person: Person = WORKER) -> Registry:
    """One grid, one person, these shifts of the grid."""
    return Registry({"g1": "第一网格"}, RegistrySnapshot(people={"w1": person}, shifts_by_grid={"g1": shifts}), NOW)


def settings(**environ: str) -> Settings:
    return load_settings(environ, Path("/nonexistent"))


@pytest.mark.parametrize(
    ("shift", "staffed"),
    [
        (STANDING, True),
        (replace(STANDING, role=Role.DEPUTY), True),
        (replace(STANDING, role=Role.NEIGHBOUR_GRID), False),
        (replace(STANDING, starts_at=NOW, ends_at=NOW + timedelta(hours=8)), True),
        (replace(STANDING, starts_at=NOW - timedelta(hours=8), ends_at=NOW), False),
        (replace(STANDING, starts_at=NOW + timedelta(seconds=1), ends_at=None), False),
        (replace(STANDING, person_id="who-has-left"), False),
    ],
)
def test_a_grid_is_staffed_by_its_own_people_now(shift: Shift, staffed: bool) -> None:
    finding = roster_finding(registry(shift))
    assert finding.ok is staffed
    assert staffed or "第一网格" in finding.sentence


def test_no_grid_at_all_is_a_fault_and_long_lists_are_cut() -> None:
    assert not roster_finding(Registry({}, RegistrySnapshot(), NOW)).ok
    many = Registry({f"g{n}": f"网格{n}" for n in range(9)}, RegistrySnapshot(), NOW)
    assert "网格4 and 4 more" in roster_finding(many).sentence


@pytest.mark.parametrize(("contacts", "reachable"), [((SMS, APP), True), ((APP,), False), ((), False)])
def test_whoever_is_on_duty_needs_a_telephone(contacts: tuple[ContactPoint, ...], reachable: bool) -> None:
    finding = workers_finding(registry(STANDING, person=replace(WORKER, contacts=contacts)))
    assert finding.ok is reachable
    assert reachable or "网格员甲" in finding.sentence


def test_whoever_is_not_on_duty_needs_none() -> None:
    later = replace(STANDING, starts_at=NOW + timedelta(hours=1))
    assert workers_finding(registry(later, person=replace(WORKER, contacts=()))).ok


@pytest.mark.parametrize(("ahead_s", "ok"), [(None, True), (-3600, True), (4, True), (60, False)])
def test_a_clock_behind_its_own_rows_is_wrong(ahead_s: int | None, ok: bool) -> None:
    assert clock_finding(NOW, None if ahead_s is None else NOW + timedelta(seconds=ahead_s)).ok is ok


@pytest.mark.parametrize(
    ("environ", "ok"),
    [
        ({}, True),
        ({"GENGFU_HTTP_HOST": "::1"}, True),
        ({"GENGFU_HTTP_HOST": "localhost"}, True),
        ({"GENGFU_HTTP_HOST": "0.0.0.0"}, False),
        ({"GENGFU_HTTP_HOST": "gengfu.example.org"}, False),
        ({"GENGFU_HTTP_HOST": "::", "GENGFU_TRUSTED_PROXIES": "10.0.0.1"}, True),
        ({"GENGFU_HTTP_HOST": "::", "GENGFU_HTTP_TLS_CERT": __file__, "GENGFU_HTTP_TLS_KEY": __file__}, True),
        ({"GENGFU_HTTP_HOST": "::", "GENGFU_HTTP_TLS_CERT": "/no/cert", "GENGFU_HTTP_TLS_KEY": __file__}, False),
    ],
)
def test_a_network_needs_https_or_a_proxy(environ: dict[str, str], ok: bool) -> None:
    assert https_finding(settings(**environ)).ok is ok


@pytest.mark.parametrize(
    ("environ", "ok"),
    [
        ({}, True),
        (TWILIO, False),
        (TWILIO | {"GENGFU_PUBLIC_URL": "http://gengfu.example.org"}, False),
        (TWILIO | {"GENGFU_PUBLIC_URL": "https://127.0.0.1"}, False),
        (TWILIO | {"GENGFU_PUBLIC_URL": "https://gengfu.example.org"}, True),
        (TWILIO | {"GENGFU_TWILIO__BASE_URL": "http://127.0.0.1:9999"}, True),
    ],
)
def test_the_real_twilio_needs_a_way_back(environ: dict[str, str], ok: bool) -> None:
    assert callback_finding(settings(**environ)).ok is ok


def test_somebody_must_send_and_call() -> None:
    assert not providers_finding(settings()).ok
    assert providers_finding(settings(**TWILIO)).ok
    assert not providers_finding(settings(**TWILIO | {"GENGFU_TWILIO__FROM_NUMBER": "MG123"})).ok


def test_an_import_that_is_not_at_its_end_closes_the_registry() -> None:
    finding = import_finding("city.csv", 12, 40)
    assert not finding.ok
    assert finding.sentence.startswith("city.csv: 12 of 40 rows")
