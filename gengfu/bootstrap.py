"""`gengfu serve`: from settings to a running application, and one sentence for whatever stands in its way."""

import asyncio
import gc
import hashlib
import hmac
import logging
import os
import signal
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack

import uvloop
from paho.mqtt.enums import MQTTProtocolVersion

from alerting.core.model import Settings as CoreSettings
from gateway import Filter, GatewaySettings
from gateway.settings import OWN_ALARM_FILTERS, OWN_TELEMETRY_FILTERS
from gengfu import logs
from gengfu.accounts import other_accounts
from gengfu.also_tell import also_telling
from gengfu.application import ALL_ROLES, AppConfig, Application
from gengfu.broker_files import SettingsAccounts
from gengfu.bulk_commands import with_imports
from gengfu.commands import handlers
from gengfu.database import DatabaseInUse, hold, migrate
from gengfu.database.common import parse, sqlite_path
from gengfu.retention import Retain
from gengfu.secret_key import SecretKeyUnreadable, secret_key
from gengfu.settings_model import Settings
from gengfu.socket import serve_commands, socket_path
from gengfu.template_check import template_fault
from gengfu.vendors import accounts_of, takes_replies

log = logging.getLogger(__name__)

stop_variable = "GENGFU_TEST_STOP_AT"
"""For crash tests: `point` or `point:N`; the process stops itself (SIGSTOP) when it passes that point the N-th time.
Points: before_commit (received, not committed), before_puback (committed, not acknowledged), before_post (committed,
not submitted), after_post (submitted, not
recorded)."""


gc_allocations = 2_000
"""A collection of the young costs about a microsecond an object and stops everything: small ones, often."""


class CannotServe(Exception):
    """One sentence: what stands in the way and the remedy."""


def run(settings: Settings, roles: frozenset[str]) -> int:
    """Serve until SIGTERM or SIGINT: 0. 1 with one sentence on standard error when it cannot."""
    logs.configure(settings.log_format, settings.log_level, secrets=settings.secrets(), zone=settings.zone)
    try:
        with hold(settings.database, "serve"):
            config = configure(settings, roles)
            _tune()
            uvloop.run(serve(settings, config))
    except (CannotServe, DatabaseInUse, SecretKeyUnreadable) as refusal:
        print(refusal, file=sys.stderr)  # noqa: T201 - the one sentence
        return 1
    return 0


def _tune() -> None:
    """Short pauses: what was imported is never collected again."""
    gc.collect()
    gc.freeze()
    gc.enable()
    gc.set_threshold(gc_allocations, 20, 100)


def configure(settings: Settings, roles: frozenset[str]) -> AppConfig:
    """What the settings mean for one process. Raises CannotServe."""
    roles = roles or ALL_ROLES
    sqlite = parse(settings.database).drivername == "sqlite"
    if sqlite and roles != ALL_ROLES:
        raise CannotServe("Several processes need PostgreSQL: set GENGFU_DATABASE_URL, or serve without --role.")
    outdated = migrate.check(settings.database)
    if outdated is not None:
        raise CannotServe(outdated)
    wrong = template_fault(settings)
    if wrong is not None:
        raise CannotServe(wrong)
    key = secret_key(settings)
    folder = settings.broker_files_dir
    accounts = accounts_of(settings)
    return AppConfig(
        database_url=settings.database,
        secret_key=key,
        gateway=_gateway(settings, key) if "gateway" in roles else None,
        vendors=accounts,
        orders=settings.routing.orders(),
        folder=settings.folder,
        public_url=settings.public_url or (settings.callback_base if settings.twilio else ""),
        http_host=settings.http_host,
        http_port=settings.http_port,
        tls_cert=str(settings.http_tls_cert) if settings.http_tls_cert else None,
        tls_key=str(settings.http_tls_key) if settings.http_tls_key else None,
        trusted_proxies=settings.trusted_proxies,
        core=CoreSettings(
            timezone=settings.timezone,
            language=settings.language,
            sms_two_way=takes_replies(accounts),
            night=settings.restraint.night,
            digest_hour=settings.restraint.hour,
            supervision_grace_s=settings.supervision_grace_s,
        ),
        roles=roles,
        other_accounts=other_accounts(settings),
        instance=settings.instance,
        retain=Retain(**settings.retention.model_dump()),
        checkpoint=_stop_at(os.environ.get(stop_variable, "")),
        broker_accounts=SettingsAccounts(settings, folder) if folder else None,
        canary_every_s=settings.canary_every_s,
        self_test_hour=settings.self_test.at,
        caller_name=settings.caller_name,
        caller_numbers=settings.caller_numbers,
    )


async def serve(settings: Settings, config: AppConfig) -> None:
    """Run until told to stop."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    async with AsyncExitStack() as stack:
        app = await stack.enter_async_context(Application(config))
        if "worker" in config.roles:
            await stack.enter_async_context(also_telling(app.database, settings))
        _take_commands(stack, settings, app)
        log.info("serving %s on %s", ", ".join(sorted(config.roles)), app.http_url or "no HTTP address")
        failed = asyncio.create_task(app.until_failed())
        stopped = asyncio.create_task(stopping.wait())
        done, pending = await asyncio.wait({failed, stopped}, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        if failed in done:
            failed.result()
        log.info("stopping")


def _take_commands(stack: AsyncExitStack, settings: Settings, app: Application) -> None:
    """Commands that write come through a socket beside the SQLite file while we hold it."""
    url = parse(settings.database)
    if url.drivername != "sqlite":
        return
    commands = dict(handlers(app.database, app.clock, app.ids, app.registry_changed, app.forget_key))
    if app.imports is not None:
        commands = with_imports(commands, app.imports)
    task = asyncio.create_task(serve_commands(socket_path(sqlite_path(url)), commands))

    async def stop() -> None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    stack.push_async_callback(stop)


def _gateway(settings: Settings, key: str) -> GatewaySettings:
    broker = settings.broker
    if broker is None:
        raise CannotServe("No broker is set: GENGFU_BROKER_URL=mqtt://gengfu-service:SECRET@host:1883.")
    if broker.embedded:
        raise CannotServe(
            "`embedded:` is for `gengfu demo` only, it loses messages: set GENGFU_BROKER_URL to a broker."
        )
    alarm = tuple(Filter(source.filter, 1) for source in settings.sources if source.lane == "alarm")
    telemetry = tuple(Filter(source.filter, 0) for source in settings.sources if source.lane == "telemetry")
    try:
        tls = broker.tls(settings.broker_tls_ca)
    except OSError as fault:
        raise CannotServe(f"GENGFU_BROKER_TLS_CA cannot be read ({fault.strerror or fault}).") from None
    return GatewaySettings(
        host=broker.host,
        port=broker.port,
        client_id=client_id(settings.instance, key),
        username=broker.username,
        password=broker.password,
        tls=tls,
        protocol_version=MQTTProtocolVersion(settings.broker_protocol),
        alarm_filters=(*OWN_ALARM_FILTERS, *alarm),
        telemetry_filters=(*OWN_TELEMETRY_FILTERS, *telemetry),
    )


def client_id(instance: str, key: str) -> str:
    """Stable, so that the broker keeps our session; not to be guessed, so that no device can take it over."""
    digest = hmac.new(key.encode(), b"mqtt client id of " + instance.encode(), hashlib.sha256).hexdigest()
    return f"{instance}-{digest[:16]}"


def _stop_at(wanted: str) -> Callable[[str], None]:
    if not wanted:
        return lambda point: None
    name, _, count = wanted.partition(":")
    left = [int(count or 1)]

    def checkpoint(point: str) -> None:
        if point == name:
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGSTOP)

    return checkpoint
