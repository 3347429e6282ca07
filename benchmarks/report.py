"""Writes docs/performance.md from a saved result, and prints tables on a terminal. Never measures."""

import json
import shutil
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table as RichTable

from benchmarks.child import ROOT
from benchmarks.tables import Table, disturbed_cores, tables

RESULTS = ROOT / "benchmarks" / "results"
PUBLISHED = ROOT / "docs" / "performance.json"
PAGE = ROOT / "docs" / "performance.md"

disturbed_cores_max = 0.3
"""Above it the page says so."""

_HEAD = """# Performance

What Gengfu does on two cores, measured from outside. `make bench` measures it again on your machine and prints the
same tables; `make bench ARGS=--quick` takes a minute and shows only that everything works. Nothing fails by a figure.

This page is written by `python -m benchmarks report RESULT.json`, from `docs/performance.json`; do not edit it.
"""

_LIMITS = "\n## Limits of these figures\n"

_HOW = """## How it is measured

Every part is a process of its own, as in life, all on one machine and its loopback: mosquitto with the shipped
configuration, `gengfu serve`, the phone provider's emulator, a generator that speaks for the devices, and one
process that holds all worker apps. Stamps are taken outside the service, on the machine's monotonic clock:

- **publish**: the generator, before it writes the message to its socket;
- **SMS and call accepted**: the provider's emulator, when it has taken the request into its books;
- **app accepted**: the worker's client, when its `received` was answered with 2xx;
- **device receipt**: the generator, when the receipt reaches it. The service sends it after the commit.

Each alarm comes from a building with a worker of its own, so nothing is folded and the telephone number says which
alarm a message belongs to. Nobody answers the phone and status callbacks wait until the last message is accepted.
Each round has a service and a database of its own, and ends before the second escalation step (30 s).

**The floor** is a bare subscriber in place of the service: same MQTT connection class, same subscriptions, same HTTP
client class, same provider; it posts three requests for each fire (the third, a small exchange with the emulator,
stands for the app) and stores nothing. Rounds alternate: service, floor, service, floor ... The ratio is what
deciding, storing durably and remembering cost.

**The storm** is one alarm from each of 10,000 buildings within half a second; 1 % are fires and are published last.
**Ingest** repeats alarms of open incidents under new event ids with at most 2,000 events without receipt: each is
checked, stored and receipted, none pages. The reference is mosquitto_sub (QoS 1) on the same broker, fed by the same
generator, where what it has printed takes the place of receipts.

## Limits of these figures

- One machine carries everything: generator, apps and provider take CPU from the service (see the shares).
- Rounds are short: a p99.9 rests on a few samples. Read it with the max beside it.
- Emulator and network are local: a real provider adds its own time to each request, and that is not in here.
- The disk's flush is as fast as this machine's; whether its host honours it was not tested.
"""

_HOW_REGISTRY = """
**The import** reads the files of `gengfu simulate city` with `gengfu registry import`, as a child process into an empty
database of its own; time is from its start to its end, memory the high-water mark of that process (the database server
is another one). Its floor reads the same files with Python's csv module and stores the cells of each row, and the id of
each device, in two tables of SQLite in one durable transaction; it checks nothing, builds no tree and no index but two
keys. **Who goes first** is what the service does with a batch of alarms from random devices: load the snapshot, place
each, and find who stands on the first step. On SQLite the service remembers places, duty and people until somebody
writes to the registry; it has seen 10,000 other devices before. "Nothing remembered" is the first batch after such a
write. The floor is one look-up of the same devices' rows by their ids. CPU is that of the asking thread: what another
program takes of the machine is not in it.
"""

_HOW_FAILOVER = """
**Failover** publishes fires one by one through mosquitto to the shipped application on SQLite, which sends over two
carriers: two emulated Twilio accounts, or Alibaba's and Twilio's; both live in one process. A fault belongs to a phone.
In the mixed runs every other fire meets none: those are the floor, of the same seconds, and they keep the breaker of
the first carrier closed, so that each fire has to find the other one by itself. "For all" and "account" are one trouble
for everybody: there the breaker opens after a few, and the others go to the second carrier at once ("met it" counts the
few). The stamp is the carrier's own, when the request is in its books; "known" is the service's, when it was sure.
A phone rings for 15 s; then its owner presses 1. The rate is low on purpose: a storm is measured above.
"""

_PEERS = Table(
    "For comparison, measured on such a machine: publish to the last of three POSTs, ms",
    ("", "100/s p50 / p99 / p99.9", "500/s p50 / p99 / p99.9", "storm: last accepted", "lost"),
    (
        ("Alertmanager 0.25, in memory, no MQTT", "1.2 / 2.2 / 5.7", "0.75 / 2.9 / 8.0", "3.5 s", "0"),
        ("Node-RED 4.1, not durable", "2.4 / 7.8 / 33", "0.8 / 19.9 / 40.3", "21.3 s", "639 (6.4 %)"),
    ),
    "Neither stores an alarm before it acknowledges it, knows who is on duty, or chases an answer.",
)


def publish(saved: Path | None) -> None:
    """Make a saved result the published one (None: the one that is) and write the page."""
    if saved is not None and saved.resolve() != PUBLISHED:
        shutil.copyfile(saved, PUBLISHED)
    PAGE.write_text(page(json.loads(PUBLISHED.read_text(encoding="utf-8"))), encoding="utf-8")


def save(result: dict[str, Any]) -> Path:
    """Beside earlier results, by its time."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{result['at'].replace(':', '')}.json"
    path.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def page(result: dict[str, Any]) -> str:
    """The whole page."""
    machine = result["machine"]
    measured = (
        f"Measured {result['at']} on {machine['cores']} cores ({machine['processor']}), {machine['memory']}, "
        f"{machine['system']}, Python {machine['python']}, mosquitto {machine['mosquitto']}; "
        f"load average before the run {machine['load']}.\n"
    )
    cores = disturbed_cores(result)
    if cores > disturbed_cores_max:
        measured += (
            f"\n**Other programs used {cores:.1f} cores of this machine during the run** (`others` below): the figures "
            "are worse than a quiet machine's, and so are the ratios: the floor needs less CPU, so it suffers less.\n"
        )
    shown = [markdown(table) for table in [*tables(result), _PEERS]]
    how = (_HOW_REGISTRY if "registry" in result else "") + (_HOW_FAILOVER if "failover" in result else "")
    return "\n".join([_HEAD, measured, *shown, _HOW.replace(_LIMITS, how + _LIMITS)])


def markdown(table: Table) -> str:
    """One table under its heading."""
    lines = [table.headers, tuple("---" if n == 0 else "---:" for n in range(len(table.headers))), *table.rows]
    body = "\n".join("| " + " | ".join(cells) + " |" for cells in lines)
    return f"## {table.title}\n\n{body}\n" + (f"\n{table.note}\n" if table.note else "")


def show(result: dict[str, Any], console: Console) -> None:
    """On a terminal."""
    cores = disturbed_cores(result)
    if cores > disturbed_cores_max:
        console.print(f"Other programs used {cores:.1f} cores during the run: a quiet machine shows better figures.")
    for table in tables(result):
        shown = RichTable(title=table.title, title_justify="left", caption=table.note or None, caption_justify="left")
        for number, header in enumerate(table.headers):
            shown.add_column(header, justify="left" if number == 0 else "right", no_wrap=number == 0)
        for cells in table.rows:
            shown.add_row(*cells)
        console.print(shown)
