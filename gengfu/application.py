"""One running Gengfu: builds the real parts, wires them, starts and stops them in order. Holds no rule of its own."""

import asyncio
import logging
import shutil
import tempfile
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from alerting.answer_links import AnswerLinks
from alerting.app_targets import AppTargets
from alerting.carriers import Carriers
from alerting.core.canary import CANARY_DEVICE
from alerting.core.model import Settings as CoreSettings
from alerting.core.routing import ORDERS, Orders
from alerting.interlocks import WAKE_COMMANDS
from alerting.ports import Conflict, Priority
from alerting.service import Service
from alerting.spool import Spool
from alerting.store import boots
from alerting.stream import Hub
from alerting.writing import WAKE_OUTBOX, WAKE_STREAM, Outbox
from gateway import GatewaySettings, Subscriber
from gengfu.broker_follow import BrokerAccounts, Following
from gengfu.bulk_server import Imports
from gengfu.canary import Canary, LoopBack
from gengfu.clock import ForwardClock, RandomIds, SystemClock
from gengfu.database import RunningDatabase, open_database
from gengfu.database.common import parse, sqlite_path
from gengfu.database.presence import announce
from gengfu.feed import Feed
from gengfu.hearing import Hearing
from gengfu.http_setup import Http
from gengfu.metrics import PrometheusMetrics
from gengfu.readiness_setup import Readiness
from gengfu.retention import Retain, Retention
from gengfu.vendors import build

log = logging.getLogger(__name__)

ALL_ROLES = frozenset({"gateway", "worker", "api"})
gauges_every_s = 10.0
disk_free_share_min = 0.05


@dataclass(frozen=True, slots=True)
class AppConfig:
    """Everything one process needs to know; made from settings by `serve`, by hand for the demo and tests."""

    database_url: str = field(repr=False)
    secret_key: str = field(repr=False)
    gateway: GatewaySettings | None = None
    vendors: Mapping[str, object] = field(default_factory=dict, repr=False)
    """Settings of every vendor that has an account, by its name in `providers.TABLE`."""
    public_url: str = ""
    """Where phones reach us; empty: nowhere, so no message holds a link."""
    orders: Orders = field(default_factory=lambda: ORDERS)
    """Which carrier is tried first, by channel and country."""
    folder: Path | None = None
    """Where callbacks are spooled that the database cannot take in time; None: nowhere."""
    http_host: str = "127.0.0.1"
    http_port: int = 0
    tls_cert: str | None = None
    tls_key: str | None = None
    trusted_proxies: tuple[str, ...] = ()
    core: CoreSettings = field(default_factory=CoreSettings)
    roles: frozenset[str] = ALL_ROLES
    other_accounts: frozenset[str] = frozenset()
    """Broker accounts that are no device's: no device may be called so."""
    instance: str = "gengfu"
    retain: Retain = field(default_factory=Retain)
    broker_accounts: BrokerAccounts | None = None
    """What follows the registry after an enrolment or a revocation, in whichever process it was made."""
    checkpoint: Callable[[str], None] = lambda point: None
    canary_every_s: float = 0.0
    """0: no canary alarm is sent."""
    self_test_hour: int | None = None
    """Local hour of the daily message that must be tapped; None: none is sent."""
    caller_name: str = ""
    caller_numbers: tuple[str, ...] = ()


class Application:
    """`async with Application(config) as app`: when it is entered, alarms are being received."""

    def __init__(self, config: AppConfig, clock: SystemClock | None = None) -> None:
        self.config = config
        self._links = AnswerLinks(config.secret_key, config.public_url)
        self.clock = ForwardClock(clock or SystemClock())
        self.ids = RandomIds()
        self.metrics = PrometheusMetrics()
        self.hub = Hub(self.ids.attempt)
        self.database: RunningDatabase
        self.service: Service
        self.subscriber: Subscriber | None = None
        self.http_url = ""
        self._stack = AsyncExitStack()
        self._failed: asyncio.Future[None] | None = None
        self._http: Http | None = None
        self._following: Following | None = None
        self._readiness = Readiness(config, self.ids, self.metrics)
        self.imports: Imports | None = None

    async def __aenter__(self) -> "Application":
        try:
            await self._start()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._stack.aclose()

    async def until_failed(self) -> None:
        """Wait for ever, or until a part that must run has ended; raises what ended it."""
        self._failed = asyncio.get_running_loop().create_future()
        await self._failed

    def registry_changed(self) -> None:
        """The registry was written: the emergency copy and the broker's accounts follow. Instant."""
        self.service.registry_changed()
        self.app_targets.forget()
        if self._following is not None:
            self._following.look()

    def forget_key(self, key_hash: str) -> None:
        """An API key was revoked elsewhere."""
        if self._http is not None:
            self._http.keys.forget(key_hash)

    async def ready(self) -> dict[str, bool | str]:
        """Each part: True, or one sentence saying what is wrong."""
        parts: dict[str, bool | str] = {"database": await self._database_ready()}
        if self.subscriber is not None:
            parts["broker"] = self.subscriber.ready() or "not connected to the MQTT broker"
        if "worker" in self.config.roles:
            parts["provider"] = self._readiness.provider()
        return parts

    async def _start(self) -> None:
        config = self.config
        self.database = open_database(
            config.database_url,
            monotonic=self.clock.monotonic,
            on_hold=lambda seconds, priority: self.metrics.writer_held(seconds),
            fraction=self.ids.fraction,
        )
        self._stack.push_async_callback(self.database.close)
        boot = await self.database.write(
            Priority.ADMINISTRATION, lambda conn: boots.begin(conn, self.clock.now(), config.instance)
        )
        await self._stack.enter_async_context(announce(config.database_url, boot))
        self.app_targets = AppTargets(self.database, self.clock, config.vendors)
        self._stack.push_async_callback(self.app_targets.close)
        await self.app_targets.start()
        carriers = self._carriers()
        self.app_targets.attach(carriers.all())
        for provider in carriers.all():
            self._stack.push_async_callback(provider.close)
        self.service = Service(
            database=self.database,
            providers=carriers,
            hub=self.hub,
            clock=self.clock,
            ids=self.ids,
            settings=replace(config.core, answer_link=self._links.open_link),
            metrics=self.metrics,
            outbox=Outbox(
                boot, {channel: carriers.of(channel)[0].name for channel in carriers.channels}, self.database.notify
            ),
            leads="worker" in config.roles,
            tells=not self._shared,
            disk_nearly_full=lambda: nearly_full(config.database_url),
            checkpoint=config.checkpoint,
            answer_links=self._links,
            loopback=LoopBack(self.database, self.clock, self.metrics),
            sweeps_canary="gateway" not in config.roles,
            spool=Spool(config.folder),
        )
        await self.service.start()
        self._stack.push_async_callback(self.service.stop)
        if config.roles & {"worker", "api"}:
            works = self._readiness.begin(self.database, self.clock, carriers, self.service)
            for name, work in works.items():
                self._background(name, work)
            await self._readiness.hear_others(self.database)
        if self._shared:
            await self._hear_others()
        if "api" in config.roles:
            self.imports = imports_of(self)
            self._stack.push_async_callback(self.imports.close)
            await self.imports.resume()
            await self._start_http()
        if "gateway" in config.roles and config.gateway is not None:
            await self._start_gateway(config.gateway, boot)
        if config.broker_accounts is not None:
            self._following = Following(self.database, config.broker_accounts)
            self._background("broker accounts", self._following.run())
        self._background("loop lag", self.metrics.watch_loop())
        self._background("gauges", self._gauges())
        self._background("retention", Retention(self.database, self.clock, config.retain).run())

    @property
    def _shared(self) -> bool:
        """Other processes may write to the same database."""
        return self.database.dialect == "postgresql"

    async def _hear_others(self) -> None:
        await self.database.listen(WAKE_OUTBOX, self.service.ticker.wake)
        await self.database.listen(WAKE_COMMANDS, self.service.commands.wake)
        if "api" in self.config.roles:
            feed = Feed(self.database, self.hub)
            await feed.begin()
            await self.database.listen(WAKE_STREAM, feed.wake)
            self._background("stream feed", feed.run())

    def _carriers(self) -> Carriers:
        config = self.config
        return build(
            config.vendors,
            config.roles,
            self.hub,
            targets=self.app_targets,
            orders=config.orders,
            zone=ZoneInfo(config.core.timezone),
        )

    async def _start_gateway(self, settings: GatewaySettings, boot: int) -> None:
        subscriber = Subscriber(
            self.service.entry,
            settings,
            self.clock.now,
            metrics=self.metrics,
            checkpoint=self.config.checkpoint,
            random=self.ids.fraction,
            commands=self.service.commands,
        )
        self.subscriber = subscriber
        self._background("gateway", subscriber.run())
        self._background("hearing", Hearing(self.database, self.clock, boot, subscriber.ready).run())
        self._stack.push_async_callback(subscriber.stop)
        canary = Canary(
            self.database, self.clock, self.ids, self.metrics, subscriber.publish, self.config.canary_every_s
        )
        self._background("canary", canary.run())

    async def _start_http(self) -> None:
        self._http = Http(self, self._readiness.deps(self.database.notify))
        self.http_url = self._http.url
        task = self._background("http", self._http.run())
        self._stack.push_async_callback(self._http.stop, task)

    def _background(self, name: str, work: Any) -> asyncio.Task[None]:
        task: asyncio.Task[None] = asyncio.create_task(work, name=name)
        task.add_done_callback(self._ended)

        async def cancel() -> None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

        self._stack.push_async_callback(cancel)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        if task.cancelled() or task.exception() is None:
            return
        log.critical("%s has ended", task.get_name(), exc_info=task.exception())
        if self._failed is not None and not self._failed.done():
            self._failed.set_exception(task.exception() or RuntimeError(task.get_name()))

    async def _database_ready(self) -> bool | str:
        try:
            await self.database.read(lambda conn: conn.execute(text("SELECT 1")).scalar())
        except (SQLAlchemyError, OSError, Conflict) as fault:
            return f"the database does not answer ({type(fault).__name__})"
        return True

    async def _gauges(self) -> None:
        while True:
            try:
                self.metrics.set_open(*await self.database.read(boots.gauges))
            except (SQLAlchemyError, OSError, Conflict):
                log.warning("gauges not read")
            await asyncio.sleep(gauges_every_s)


def imports_of(application: Application) -> Imports:
    """Bulk imports into this application's database; what they stage lies beside it."""
    config = application.config
    url = parse(config.database_url)
    return Imports(
        application.database,
        config.database_url,
        sqlite_path(url).resolve().parent if url.drivername == "sqlite" else Path(tempfile.gettempdir()),
        clock=application.clock,
        ids=application.ids,
        zone=config.core.timezone,
        registry_changed=application.registry_changed,
        reserved=config.other_accounts | {CANARY_DEVICE},
    )


def nearly_full(database_url: str) -> bool:
    """Less than 5 % of the disk under the SQLite file is free: telemetry is refused first, alarms never."""
    url = parse(database_url)
    if url.drivername != "sqlite":
        return False
    usage = shutil.disk_usage(sqlite_path(url).resolve().parent)
    return usage.free < disk_free_share_min * usage.total
