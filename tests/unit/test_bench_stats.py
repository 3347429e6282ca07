"""The benchmarks' arithmetic on figures that can be checked by hand. Measures nothing."""

import json

import pytest

from benchmarks import numbering, report, stats
from benchmarks.tables import disturbed_cores, tables
from simulators.city_generator import generate_city


def test_a_share_is_the_nearest_rank() -> None:
    figures = [float(n) for n in range(1, 1001)]
    assert [stats.at_share(figures, share) for share in (0.5, 0.99, 0.999, 1.0)] == [500, 990, 999, 1000]
    assert stats.at_share([7.0], 0.999) == 7.0
    assert stats.at_share([1.0, 2.0, 3.0], 0.5) == 2.0


@pytest.mark.parametrize("share", [0.0, 1.1])
def test_a_share_that_is_none_is_a_programmers_error(share: float) -> None:
    with pytest.raises(AssertionError):
        stats.at_share([1.0], share)


def test_a_summary_is_in_milliseconds_whatever_the_order() -> None:
    assert stats.summary([0.003, 0.001, 0.002]) == stats.Summary(3, 2.0, 3.0, 3.0, 3.0)
    assert stats.summary([]) is None


def test_an_alarm_has_arrived_with_its_last_message() -> None:
    joined = stats.last_of({1: 10.0, 2: 20.0}, {1: 10.5, 2: 20.5}, {1: 10.25, 2: 22.0})
    assert joined == stats.Joined((0.5, 2.0), ())


def test_an_alarm_that_lacks_one_message_is_lost_and_not_fast() -> None:
    joined = stats.last_of({1: 10.0, 2: 20.0}, {1: 10.5, 2: 20.5}, {1: 10.25})
    assert joined == stats.Joined((0.5,), (2,))


def test_the_first_of_several_counts_and_the_others_are_told() -> None:
    assert stats.first_stamps([(1, 5.0), (2, 6.0), (1, 4.0)]) == ({1: 4.0, 2: 6.0}, 1)


def test_ratios_rates_and_shares_survive_nothing() -> None:
    assert stats.ratio(6.0, 2.0) == 3.0
    assert stats.ratio(6.0, 0.0) is None
    assert stats.rate(30, 2.0) == 15.0
    assert stats.rate(30, 0.0) == 0.0
    assert stats.cpu_share({"service": 1.0}, {"service": 3.0, "floor": 1.0}, 4.0) == {"service": 0.5, "floor": 0.25}


def test_numbers_say_which_worker_belongs_to_which_device() -> None:
    city = generate_city(3, 3, 3)
    person = {each.id: each for each in city.people}
    grid_of = {house: grid.id for grid in city.grids for house in grid.place_ids}
    for n, device in enumerate(city.devices):
        assert device.id == numbering.device_id(n)
        assert numbering.device_number(device.id) == n
        house = next(place for place in city.places if place.id == device.place_id).path[-2]
        duty = next(shift for shift in city.shifts if shift.grid_id == grid_of[house] and shift.role == "grid_worker")
        assert duty.person_id == numbering.person_id(n)
        assert {point.address for point in person[duty.person_id].contacts} >= {numbering.phone(n)}
        assert numbering.phone_number(numbering.phone(n)) == n


def _latency(kind: str, p50: float, lost: int = 0) -> dict[str, object]:
    shown = {"count": 9, "p50": p50, "p99": 4 * p50, "p999": 8 * p50, "max": 10 * p50}
    figures = {"all three": shown, "sms": shown, "voice": shown, "app": shown, "receipt": None}
    return {"kind": kind, "lost": lost, "ms": figures, "cpu": {"service": 0.5}}


def test_tables_show_medians_the_worst_and_the_ratio_to_the_floor() -> None:
    kinds = [("SQLite", 3.0, 1), ("floor", 1.0, 0), ("SQLite", 5.0, 0), ("floor", 2.0, 0), ("SQLite", 4.0, 2)]
    table = tables({"latency": [_latency(*row) for row in kinds]})[0]
    rows = {cells[0]: cells[1:] for cells in table.rows}
    assert rows["SQLite: all three accepted"] == ("4.0", "16.0", "32.0", "50.0", "3")
    assert rows["SQLite: divided by the floor"][:3] == ("2.7x", "2.7x", "2.7x")
    assert "SQLite: device receipt" not in rows


def test_ingest_is_shown_as_a_part_of_the_reference() -> None:
    rows = [
        {"kind": "SQLite", "per_s": 10_000.0, "missing": 0, "cpu": {}},
        {"kind": "mosquitto_sub", "per_s": 40_000.0, "cpu": {}},
    ]
    table = tables({"ingest": rows})[0]
    assert table.rows[0] == ("SQLite", "10,000", "0.25", "0", ">= 10,000")


def test_the_share_of_other_programs_is_the_median_of_all_parts() -> None:
    rows = [{"cpu": {"service": 0.9, "others": share}} for share in (0.1, 0.4, 1.5)]
    assert disturbed_cores({"latency": rows[:2], "ingest": rows[2:], "memory": [{}]}) == 0.4
    assert disturbed_cores({"memory": [{}]}) == 0.0


def test_the_published_page_is_what_the_published_result_makes() -> None:
    result = json.loads(report.PUBLISHED.read_text(encoding="utf-8"))
    assert report.PAGE.read_text(encoding="utf-8") == report.page(result)
