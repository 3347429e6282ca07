"""Tables of submissions and callbacks, from rows that can be checked by hand. Measures nothing."""

from typing import Any

from benchmarks import providers
from benchmarks.provider_answers import ANSWERS


def submissions(carrier: str, ours: float, bare: float, refused: int = 0) -> list[dict[str, Any]]:
    return [
        {"carrier": carrier, "kind": providers.OURS, "per_s": ours, "per_cpu_s": ours * 2, "bad": refused},
        {"carrier": carrier, "kind": providers.BARE, "per_s": bare, "per_cpu_s": bare * 2, "bad": 0},
    ]


def callbacks(kind: str, per_s: float, p99: float, **more: Any) -> dict[str, Any]:
    figures = {"count": 100, "p50": 1.0, "p99": p99, "p999": p99, "max": 2 * p99}
    return {"kind": kind, "per_s": per_s, "cpu": 0.5, "count": 100, "bad": 0, "ms": figures, **more}


def test_a_client_stands_beside_bare_aiohttp_of_the_same_rounds() -> None:
    rows = [row for rate in (300.0, 100.0, 200.0) for row in submissions("sns sms", rate, 400.0, refused=1)]
    (_, _, cells, note), _ = providers.tables(
        {"submissions": rows, "callbacks": [callbacks(providers.FLOOR, 9.0, 1.0)]}
    )
    assert cells == (("sns sms", "200", "400", "800", "0.50", providers.RATIO_TARGET, "3"),)
    assert "medians of 3 alternated rounds" in note


def test_a_callback_that_was_answered_and_is_not_there_is_lost() -> None:
    rows = [callbacks(providers.SERVICE, 2_500.0, 80.0, rows=98, folded=90), callbacks(providers.FLOOR, 9_000.0, 2.0)]
    _, (_, _, cells, _) = providers.tables({"submissions": submissions("sns sms", 1.0, 1.0), "callbacks": rows})
    assert cells[0] == (providers.SERVICE, "2,500", "200", "1.0", "80.0", "160.0", "0 / 2")
    assert cells[1][-1] == "0 / 0"
    assert cells[2][1] == providers.RATE_TARGET


def test_every_row_of_the_answerer_names_a_vendor_and_a_channel() -> None:
    from alerting.channels.providers import TABLE

    for carrier, answers in ANSWERS.items():
        vendor, channel = carrier.split()
        assert vendor in TABLE
        assert channel in ("sms", "voice", "app")
        assert answers[-1].path == b"", "the last one answers everything else"
