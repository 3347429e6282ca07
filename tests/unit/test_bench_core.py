"""Tables of the core's figures and of due times' lateness, from rows that can be checked by hand. Measures nothing."""

from benchmarks import core, lateness


def test_the_mix_is_a_hundred_and_each_kind_decides_something() -> None:
    kinds = core.kinds()
    assert sum(kind.share for kind in kinds) == 100
    for kind in kinds:
        assert isinstance(kind.decide(), list), kind.name


def test_a_rate_is_the_median_and_stands_beside_the_floor() -> None:
    rows = [{"kind": core.MIX, "per_s": rate} for rate in (40_000.0, 60_000.0, 50_000.0)]
    rows += [{"kind": core.FLOOR, "per_s": 500_000.0}] * 3
    _, _, cells, note = core.table(rows)
    assert cells[0] == (core.MIX, "50,000", "10.0x", core.TARGET)
    assert cells[1] == (core.FLOOR, "500,000", "", "")
    assert "medians of 3 alternated rounds" in note


def test_lateness_tells_what_never_came() -> None:
    figures = {"count": 400, "p50": 2.0, "p99": 9.0, "p999": 40.0, "max": 41.0}
    rows = [
        {"kind": lateness.SERVICE, "open": 10_000, "ms": figures, "missing": 3},
        {"kind": lateness.FLOOR, "open": 10_000, "ms": {**figures, "max": 5.0}, "missing": 0},
    ]
    _, _, cells, note = lateness.table(rows)
    assert cells[0] == (lateness.SERVICE, "2.0", "9.0", "40.0", "41.0", "3")
    assert cells[1][4] == "5.0"
    assert note.startswith("10,000 open incidents, 400 due")
