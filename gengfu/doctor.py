"""The examination behind `gengfu doctor`: asks broker and database, then judges. Changes nothing, sends nothing."""

import asyncio
import ssl
from datetime import datetime

from sqlalchemy import Connection

from alerting.core.canary import CanaryRow
from alerting.store import canary
from devices.store import imports
from devices.store.imports import ImportRow, State
from devices.store.snapshot import load_all
from gengfu.clock import RandomIds, SystemClock
from gengfu.database.common import parse, shown
from gengfu.doctor_broker import accounts_finding
from gengfu.doctor_findings import (
    Finding,
    Registry,
    callback_finding,
    clock_finding,
    fault_of,
    fine,
    https_finding,
    import_finding,
    providers_finding,
    roster_finding,
    workers_finding,
)
from gengfu.doctor_readiness import account_findings, receipt_findings, workers_ready
from gengfu.doctor_watchdog import canary_finding, watchdog_finding
from gengfu.reading import UNREACHABLE, SchemaDiffers, read, why
from gengfu.settings_model import Settings
from gengfu.store import checks
from simulators.wire import Wire, WireError

connect_seconds_max = 5.0


def examine(settings: Settings) -> list[Finding]:
    """Every finding, in the order in which they are to be put right."""
    now = SystemClock().now()
    return [
        asyncio.run(_broker(settings)),
        *_database(settings, now),
        providers_finding(settings),
        *account_findings(settings),
        callback_finding(settings),
        https_finding(settings),
        watchdog_finding(settings),
        *([accounts_finding(settings)] if settings.broker_files_dir else []),
    ]


async def _broker(settings: Settings) -> Finding:
    """Does it answer, and does it take our login?"""
    address = settings.broker
    if address is None:
        return Finding(
            "broker", False, "broker_url is missing: set GENGFU_BROKER_URL to mqtt://user:password@host:1883."
        )
    if address.embedded:
        return Finding(
            "broker", False, "embedded: is for the demo only: name a mosquitto as mqtt://user:password@host."
        )
    wire = Wire()
    try:
        tls = address.tls(settings.broker_tls_ca)
        name = f"{settings.instance}-doctor-{RandomIds().attempt()}"
        login = (address.username or "", address.password or "")
        await wire.connect(address.host, address.port, name, *login, tls, connect_seconds_max)
    except ssl.SSLError as fault:
        return fault_of("broker", f"{address.shown()}: no TLS ({fault.reason or fault}): check broker_tls_ca.")
    except TimeoutError:
        return fault_of("broker", f"{address.shown()} says nothing: is it a broker, and is the port right?")
    except WireError as fault:
        return fault_of("broker", f"{address.shown()}: {fault}: write its files with `gengfu broker files`.")
    except OSError as fault:
        return Finding(
            "broker", False, f"{address.shown()} cannot be reached ({fault.strerror or fault}): is it running?"
        )
    await wire.close()
    return fine("broker", f"{address.shown()} takes our login.")


def _database(settings: Settings, now: datetime) -> list[Finding]:
    """Reachable, of our schema, and what it says about clock, roster and people."""
    name = shown(parse(settings.database))
    try:
        last, registry, begun, checked, ready = read(settings.database, lambda conn: _asked(conn, now, settings))
    except SchemaDiffers as difference:
        return _unread(str(difference))
    except UNREACHABLE as fault:
        return _unread(f"{name} does not answer ({why(fault)}): is it running, and is database_url right?")
    return [
        fine("database", f"{name} answers and has this program's schema."),
        clock_finding(now, last),
        roster_finding(registry),
        workers_finding(registry),
        *ready,
        canary_finding(checked, now, settings.canary_every_s),
        *(import_finding(row.name, row.written, row.size) for row in begun),
    ]


def _asked(
    conn: Connection, now: datetime, settings: Settings
) -> tuple[datetime | None, Registry, list[ImportRow], CanaryRow | None, list[Finding]]:
    begun = imports.in_state(conn, State.APPLYING)
    ready = [*workers_ready(conn, settings, now), *receipt_findings(conn, now)]
    return checks.last_commit(conn), _registry(conn, now, settings.timezone), begun, canary.read(conn), ready


def _registry(conn: Connection, now: datetime, timezone: str) -> Registry:
    return Registry(checks.grid_names(conn), load_all(conn, now, timezone=timezone), now)


def _unread(sentence: str) -> list[Finding]:
    unknown = [fault_of(name, "not known without the database.") for name in ("clock", "roster", "workers")]
    return [fault_of("database", sentence), *unknown]
