"""`gengfu simulate`: devices and cities that do not exist. Publishes like real devices, decides nothing."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gengfu.cli import common
from gengfu.cli.faults import FAULT, CommandError, UsageError

if TYPE_CHECKING:
    from gengfu.broker_address import BrokerAddress
    from simulators.fleet_counts import FleetCounts

app = common.group("模拟设备、场景与城市。 Virtual devices, stories and cities.")

BrokerOption = Annotated[
    str | None, typer.Option(help="mqtt://user:password@host:1883 of an account that may write for all devices.")
]


city_devices = 20_000


@app.command(epilog="Example: gengfu simulate fleet --devices 1000 --rate 5 --telemetry 200 --duration 60")
def fleet(
    devices: Annotated[int, typer.Option(min=1, help="How many, named sim-000001 ...")] = 1000,
    rate: Annotated[float, typer.Option(min=0, help="Alarms per second, of all together.")] = 1.0,
    telemetry: Annotated[float, typer.Option(min=0, help="Telemetry messages per second.")] = 0.0,
    heartbeat_every: Annotated[
        float | None, typer.Option(min=0.1, help="Seconds between a device's heartbeats.")
    ] = None,
    duration: Annotated[float, typer.Option(min=0.1, help="Seconds.")] = 60.0,
    settle: Annotated[float, typer.Option(min=0, help="Seconds to wait for the last receipts.")] = 10.0,
    code: Annotated[list[str] | None, typer.Option(help="What is raised, at random; repeat it.")] = None,
    until_receipt: Annotated[bool, typer.Option(help="Repeat each alarm until its receipt, as devices do.")] = True,
    seed: Annotated[int, typer.Option(help="The same number, the same order.")] = 1,
    broker: BrokerOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="The result as one JSON object.")] = False,
) -> None:
    """模拟大量设备。 Many devices: alarms and telemetry at given rates. Exit code 1 when an alarm stayed unanswered."""
    from devices.taxonomy import TAXONOMY
    from gengfu.cli.simulating import run_with_progress
    from simulators.fleet import FleetSettings

    codes = tuple(code or ("fire.smoke",))
    unknown = [each for each in codes if each not in TAXONOMY]
    if unknown:
        raise UsageError(f"{unknown[0]} is no code: for example fire.smoke, gas.combustible, water.leak.")
    address, authority = _broker(broker)
    told = FleetSettings(
        address.host,
        address.port,
        address.username or "",
        address.password or "",
        devices=devices,
        alarms_per_s=rate,
        telemetry_per_s=telemetry,
        heartbeat_every_s=heartbeat_every,
        duration_s=duration,
        settle_s=settle,
        codes=codes,
        until_receipt=until_receipt,
        seed=seed,
        tls=address.tls(authority),
    )
    with _reaching(address):
        counts = run_with_progress(told)
    _tell(counts, as_json)
    if counts.unsettled:
        raise typer.Exit(FAULT)


@app.command(epilog="Example: gengfu simulate scenario flat_fire")
def scenario(
    name: Annotated[str | None, typer.Argument(help="Which story.")] = None,
    speed: Annotated[float, typer.Option(min=0.1, max=100, help="Seconds of the story per second.")] = 1.0,
    wait: Annotated[float, typer.Option(min=0.1, help="Seconds to wait for each receipt.")] = 10.0,
    broker: BrokerOption = None,
    listed: Annotated[bool, typer.Option("--list", help="Only name the stories there are.")] = False,
) -> None:
    """播放一个场景中设备的部分。 Publish what the devices of a story say; people answer with their own telephones."""
    from simulators.scenario import load_scenario, scenario_names

    if listed:
        for each in scenario_names():
            typer.echo(f"{each}\t{load_scenario(each).title}\t{load_scenario(each).title_en}")
        return
    if name is None:
        raise UsageError(f"Name a story: {', '.join(scenario_names())}.")
    from gengfu.cli.simulating import play

    story = load_scenario(name)
    address, authority = _broker(broker)
    with _reaching(address):
        unanswered = asyncio.run(play(story, address, address.tls(authority), speed, wait, typer.echo))
    if unanswered:
        raise CommandError(f"{unanswered} of {len(story.events)} events got no receipt: does `gengfu serve` run?")


@app.command(epilog="Example: gengfu simulate city ./city --devices 200000")
def city(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="A folder; it is made where there is none.")],
    devices: Annotated[
        int | None, typer.Option(min=0, max=2_000_000, help="How many; everything else stays.  [default: 20000]")
    ] = None,
    seed: Annotated[int, typer.Option(help="The same number, the same city.")] = 1,
    street: Annotated[bool, typer.Option("--demo", help="The street of the demonstration instead.")] = False,
) -> None:
    """生成一座城市的导入文件。 Write a made-up city of six million as files for `gengfu registry import DIR`."""
    from gengfu.cli.city_files import city_tables, mission_tables, write_with_progress
    from simulators.city import load_city
    from simulators.mission_city import plan_city

    if street and devices is not None:
        raise UsageError("The street of the demonstration has its own devices: say --demo or --devices.")
    tables = (
        city_tables(load_city())
        if street
        else mission_tables(plan_city(city_devices if devices is None else devices, seed))
    )
    for file, rows in write_with_progress(tables, directory):
        typer.echo(f"{file}\t{rows}")


def _broker(given: str | None) -> "tuple[BrokerAddress, Path | None]":
    """The broker to publish to and the authority to trust: --broker, else the one of the settings."""
    from gengfu.broker_address import parse_broker_url

    authority = None
    if given is not None:
        try:
            address = parse_broker_url(given)
        except ValueError as fault:
            raise UsageError(f"--broker {fault}.") from None
    else:
        told = common.settings()
        if told.broker is None:
            raise UsageError("There is no broker to publish to: set GENGFU_BROKER_URL, or say --broker mqtt://...")
        address, authority = told.broker, told.broker_tls_ca
    if address.embedded:
        raise UsageError("The embedded broker lives inside `gengfu demo`: name one that listens, as mqtt://...")
    return address, authority


@contextmanager
def _reaching(address: "BrokerAddress") -> Iterator[None]:
    """A broker that is not there, or does not want us, is told in one sentence."""
    from simulators.wire import WireError

    try:
        yield
    except TimeoutError:
        raise CommandError(f"{address.shown()} says nothing: is it a broker?") from None
    except (WireError, OSError) as fault:
        raise CommandError(f"{address.shown()} cannot be used ({fault}).") from None


def _tell(counts: "FleetCounts", as_json: bool) -> None:
    shown = {
        "alarms": counts.alarms,
        "repeats": counts.repeats,
        "pubacks": counts.pubacks,
        "receipts": counts.receipts,
        "refused": counts.refused,
        "unsettled": counts.unsettled,
        "telemetry": counts.telemetry,
        "heartbeats": counts.heartbeats,
        "reconnects": counts.reconnects,
        "seconds": round(counts.seconds, 3),
        "receipt_p50_ms": _rounded(counts.receipt_ms(0.5)),
        "receipt_p99_ms": _rounded(counts.receipt_ms(0.99)),
    }
    typer.echo(json.dumps(shown) if as_json else "\n".join(f"{key:<16}{value}" for key, value in shown.items()))


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
