"""From a result to tables: medians over rounds, each figure also divided by the floor's, targets beside. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks import broker, core, failover, lateness, providers, stats
from benchmarks.ingest import REFERENCE
from benchmarks.latency import FLOOR

Row = dict[str, Any]
_NONE = "-"
_SHARES = ("p50", "p99", "p999")
_DUTY_SHARES = ("p50", "p99", "max")
_DUTY_NAMES = {
    "service": "a batch, as the service asks",
    "fresh": "the same, nothing remembered",
    "bare": "floor, the devices' rows",
}
_LATENCY_NAMES = {
    "all three": "all three accepted",
    "sms": "SMS accepted",
    "voice": "call accepted",
    "app": "app accepted",
    "receipt": "device receipt",
}


@dataclass(frozen=True, slots=True)
class Table:
    """Headers and cells as text; `note` stands below."""

    title: str
    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


def tables(result: Row) -> list[Table]:
    """Those of the parts that were run."""
    made: list[Table] = []
    if "latency" in result:
        made += [_latency(result["latency"]), _cpu("CPU while the latency was measured", result["latency"])]
    if "storm" in result:
        made += [_storm(result["storm"]), _cpu("CPU during the storm", result["storm"])]
    if "ingest" in result:
        made += [_ingest(result["ingest"]), _cpu("CPU during the ingest", result["ingest"])]
    if "memory" in result:
        made.append(_memory(result["memory"]))
    if "registry" in result:
        made += [_imports(result["registry"]), _duty(result["registry"]["imports"])]
    if "broker" in result:
        made.append(Table(*broker.table(result["broker"])))
    if "core" in result:
        made.append(Table(*core.table(result["core"])))
    if "lateness" in result:
        made.append(Table(*lateness.table(result["lateness"])))
    if "providers" in result:
        made += [Table(*each) for each in providers.tables(result["providers"])]
    if "failover" in result:
        made += [Table(*each) for each in failover.tables(result["failover"])]
    return made


def _latency(rows: Sequence[Row]) -> Table:
    cells: list[tuple[str, ...]] = []
    floor = {share: _middle_ms(rows, FLOOR, "all three", share) for share in _SHARES}
    for kind in _kinds(rows):
        for figure, name in _LATENCY_NAMES.items():
            of_kind = [row for row in rows if row["kind"] == kind and row["ms"][figure]]
            if not of_kind:
                continue
            shares = [_middle_ms(rows, kind, figure, share) for share in _SHARES]
            worst = max(row["ms"][figure]["max"] for row in of_kind)
            lost = str(sum(row["lost"] for row in of_kind)) if figure == "all three" else ""
            cells.append((f"{kind}: {name}", *(_ms(value) for value in shares), _ms(worst), lost))
            if figure == "all three" and kind != FLOOR:
                ratios = [_ratio(value, floor[share]) for value, share in zip(shares, _SHARES, strict=True)]
                cells.append((f"{kind}: divided by the floor", *ratios, "", ""))
    cells.append(("target", "<= 5", "<= 25", "<= 100", "", "0"))
    return Table(
        "Latency: publish to provider-accepted, ms",
        ("", "p50", "p99", "p99.9", "max", "lost"),
        tuple(cells),
        f"Medians of {_rounds(rows)} alternated rounds; max: the worst of all rounds.",
    )


def _storm(rows: Sequence[Row]) -> Table:
    floor = next((row for row in rows if row["kind"] == FLOOR), {})
    cells: list[tuple[str, ...]] = []
    for row in rows:
        kind = row["kind"]
        for figure, name, target in (
            ("last_fire_s", "last fire accepted on three channels", "<= 1 s"),
            ("everything_s", "everything accepted", "<= 10 s"),
        ):
            ratio = "" if kind == FLOOR else _ratio(row[figure], floor.get(figure))
            cells.append((f"{kind}: {name}", _s(row[figure]), ratio, "" if kind == FLOOR else target))
        if kind != FLOOR:
            since = _s(row["last_fire_since_published_s"])
            cells.append((f"{kind}: slowest fire since its own publication", since, "", ""))
            cells.append((f"{kind}: last device receipt", _s(row["last_receipt_s"]), "", ""))
            cells.append((f"{kind}: lost / sent twice", f"{row['lost']} / {row['again']}", "", "0 / 0"))
            callbacks = row["callbacks"]
            told = f"{stats.rate(callbacks['sent'], callbacks['seconds']):.0f}/s"
            cells.append((f"{kind}: callbacks taken afterwards", told, "", ""))
    first = rows[0]
    note = f"{first['alarms']} alarms, {first['fires']} of them fires and last in line; from the first publication."
    return Table("Storm", ("", "figure", "by the floor", "target"), tuple(cells), note)


def _ingest(rows: Sequence[Row]) -> Table:
    cells: list[tuple[str, ...]] = []
    reference = _rates(rows, REFERENCE)
    for kind in _kinds(rows):
        rates = _rates(rows, kind)
        if not rates:
            continue
        ratio = "" if kind == REFERENCE or not reference else f"{stats.middle(rates) / stats.middle(reference):.2f}"
        missing = "" if kind == REFERENCE else str(sum(row["missing"] for row in rows if row["kind"] == kind))
        target = "" if kind == REFERENCE else ">= 10,000"
        cells.append((kind, f"{stats.middle(rates):,.0f}", ratio, missing, target))
    return Table(
        "Durable ingest: events stored and receipted a second",
        ("", "events/s", f"of {REFERENCE}", "without receipt", "target"),
        tuple(cells),
        f"Medians of {_rounds(rows)} alternated rounds.",
    )


def _memory(rows: Sequence[Row]) -> Table:
    names = {
        "started_bytes": "after the start",
        "after_events_bytes": "after 10,000 events",
        "after_telemetry_bytes": "after telemetry of every device",
        "peak_bytes": "peak",
    }
    cells = [
        (f"{row['kind']}, {row['devices']:,} devices: {name}", f"{row[key] / 1e6:.0f}", "<= 250")
        for row in rows
        for key, name in names.items()
    ]
    return Table("Memory of the service", ("", "MB", "target"), tuple(cells), "Resident set, MB of 1,000,000 bytes.")


def _imports(registry: Row) -> Table:
    rows = registry["imports"]
    floor = next(row["rows_per_s"] for row in rows if row["kind"] == FLOOR)
    cells = [
        (
            row["kind"],
            f"{row['rows_per_s']:,.0f}",
            "" if row["kind"] == FLOOR else f"{row['rows_per_s'] / floor:.2f}",
            f"{row['seconds']:.0f} s",
            f"{row['cpu_seconds']:.0f} s",
            f"{row['peak_bytes'] / 1e6:.0f}",
            f"{row['database_bytes'] / 1e6:,.0f}",
        )
        for row in rows
    ]
    cells.append(("target", ">= 20,000", "", "", "", "<= 600", ""))
    written = registry["written"]
    note = (
        f"The mission's city with {registry['devices']:,} devices: {written['rows']:,} rows in "
        f"{written['bytes'] / 1e6:.0f} MB of CSV, written with {written['rows_per_s']:,.0f} rows/s and a peak of "
        f"{written['peak_bytes'] / 1e6:.0f} MB. Peak: resident memory of the importing process."
    )
    headers = ("", "rows/s", f"of {FLOOR}", "time", "CPU", "peak, MB", "database, MB")
    return Table("Import of a city", headers, tuple(cells), note)


def _duty(rows: Sequence[Row]) -> Table:
    cells: list[tuple[str, ...]] = []
    asked = [row for row in rows if "duty" in row]
    for row in asked:
        kind, duty = row["kind"], row["duty"]
        ms, cpu_ms = duty["ms"], duty["cpu_ms"]
        for name, words in _DUTY_NAMES.items():
            cells.append((f"{kind}: {words}", *(f"{ms[name][share]:.2f}" for share in _DUTY_SHARES)))
            if name == "service":
                each = (f"{ms[name][share] / duty['batch']:.3f}" for share in _DUTY_SHARES)
                cells.append((f"{kind}: that for each device", *each))
                cells.append((f"{kind}: CPU of it", *(f"{cpu_ms[name][share]:.2f}" for share in _DUTY_SHARES)))
        ratios = (_ratio(ms["service"][share], ms["bare"][share]) for share in _DUTY_SHARES)
        cells.append((f"{kind}: divided by the floor", *ratios))
    cells.append(("target, a batch on SQLite", "", "<= 5", ""))
    told = "; ".join(
        f"{row['kind']}: batches of {row['duty']['batch']}, {row['duty']['batches']} of them, "
        f"{row['duty']['answered'] / row['duty']['devices']:.1%} with somebody on the first step"
        for row in asked
    )
    return Table("Where a device is and who goes first, ms", ("", *_DUTY_SHARES), tuple(cells), told + ".")


def _cpu(title: str, rows: Sequence[Row]) -> Table:
    names = sorted({name for row in rows for name in row["cpu"]})
    cells = []
    for kind in _kinds(rows):
        of_kind = [row["cpu"] for row in rows if row["kind"] == kind]
        shares = [stats.middle([cpu[name] for cpu in of_kind]) if name in of_kind[0] else None for name in names]
        cells.append((kind, *(_NONE if share is None else f"{share:.2f}" for share in shares)))
    return Table(title, ("", *names), tuple(cells), "Cores: 1.00 is one core in use all the time.")


def disturbed_cores(result: Row) -> float:
    """How many cores programs that are none of ours used, the median of everything measured; 0 where nobody looked."""
    parts = ("latency", "storm", "ingest")
    shares = [row["cpu"]["others"] for part in parts for row in result.get(part, ()) if "others" in row["cpu"]]
    return stats.middle(shares) if shares else 0.0


def _kinds(rows: Iterable[Row]) -> list[str]:
    return list(dict.fromkeys(row["kind"] for row in rows))


def _rounds(rows: Sequence[Row]) -> int:
    return sum(row["kind"] == rows[0]["kind"] for row in rows)


def _middle_ms(rows: Sequence[Row], kind: str, figure: str, share: str) -> float | None:
    values = [row["ms"][figure][share] for row in rows if row["kind"] == kind and row["ms"][figure]]
    return stats.middle(values) if values else None


def _rates(rows: Sequence[Row], kind: str) -> list[float]:
    return [row["per_s"] for row in rows if row["kind"] == kind and row["per_s"] is not None]


def _ms(value: float | None) -> str:
    return _NONE if value is None else f"{value:.1f}"


def _s(value: float | None) -> str:
    return _NONE if value is None else f"{value:.2f} s"


def _ratio(value: float | None, floor: float | None) -> str:
    found = None if value is None or floor is None else stats.ratio(value, floor)
    return _NONE if found is None else f"{found:.1f}x"
