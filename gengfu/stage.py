"""A whole Gengfu with everything around it, on loopback and in its own folder: broker, database, city, phone provider,
application. The demonstration, the tests and the benchmarks stand on it. Never touches anything it did not start.
"""

import asyncio
import secrets
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from paho.mqtt.enums import MQTTProtocolVersion

from alerting.channels.providers.twilio_settings import TwilioSettings
from alerting.core.model import Settings as CoreSettings
from alerting.ports import Priority
from api.auth import hash_key, new_secret
from api.permissions import Role as KeyRole
from api.store import keys
from devices.store import credentials
from gateway import GatewaySettings
from gengfu.application import AppConfig, Application
from gengfu.broker.accounts import ChildAccounts, EmbeddedAccounts
from gengfu.broker.child import MosquittoChild, free_port
from gengfu.broker.embedded import PROTOCOL_VERSION as EMBEDDED_VERSION
from gengfu.broker.embedded import EmbeddedBroker
from gengfu.broker.files import SERVICE_USERNAME, Account, hash_secret
from gengfu.clock import RandomIds, SystemClock
from gengfu.database import migrate, open_database
from gengfu.database.common import parse
from gengfu.seed import seed
from simulators.city import City
from simulators.device import Habits, VirtualDevice
from simulators.line import Broker
from simulators.phone import PhoneEvent
from simulators.twilio import TwilioEmulator
from simulators.worker_app import Shown, WorkerApp

ACCOUNT_SID = "AC" + "0" * 32
FROM_NUMBER = "+15005550006"
"""Twilio's own number for tests."""


@dataclass(slots=True)
class Stage:
    """`async with Stage(folder, city) as stage`; `stage.app` runs, `stage.emulator` answers, `stage.device(id)` speaks.

    `embedded`: the broker in Python instead of mosquitto. `time_scale`, `speech`: the emulator's. `broker_template`: in
    the place of the shipped mosquitto.conf. The broker's accounts follow the registry while the application runs.
    """

    folder: Path
    city: City
    database_url: str = ""
    embedded: bool = False
    broker_template: str | None = None
    time_scale: float = 0.0
    speech_seconds_per_char: float = 0.0
    core: CoreSettings = field(default_factory=CoreSettings)
    http_port: int = 0
    roles: frozenset[str] = frozenset({"gateway", "worker", "api"})
    canary_every_s: float = 0.0
    """0: no canary alarm is sent."""
    on_phone: Callable[[PhoneEvent], None] | None = None
    start_app: bool = True
    clock: SystemClock = field(default_factory=SystemClock)
    ids: RandomIds = field(default_factory=RandomIds)
    app: Application = field(init=False)
    emulator: TwilioEmulator = field(init=False)
    broker: MosquittoChild | EmbeddedBroker = field(init=False)
    config: AppConfig = field(init=False)
    accounts: ChildAccounts | EmbeddedAccounts = field(init=False)
    guests: dict[str, str] = field(default_factory=dict, repr=False)
    """Name and hash of logins that the broker knows and the registry does not, beside those of devices."""
    device_secrets: dict[str, str] = field(default_factory=dict, repr=False)
    service_secret: str = field(default_factory=lambda: secrets.token_urlsafe(16), repr=False)
    secret_key: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    auth_token: str = field(default_factory=lambda: secrets.token_hex(16), repr=False)
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def __aenter__(self) -> "Stage":
        try:
            await self._set()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._stack.aclose()

    def device(self, device_id: str, habits: Habits | None = None) -> VirtualDevice:
        """A registered device with its own credential; not yet connected."""
        known = next(device for device in self.city.devices if device.id == device_id)
        return VirtualDevice(
            known.id,
            known.kind,
            self.broker_address(),
            self.device_secrets[known.id],
            self.clock.now,
            habits=habits or Habits(),
        )

    def broker_address(self) -> Broker:
        return Broker(self.broker.host, self.broker.port, protocol=4 if self.embedded else 5)

    async def let_in(self, username: str) -> str:
        """A login that the broker knows and the registry does not; its secret. Known when this returns."""
        self.device_secrets[username] = secret = secrets.token_urlsafe(16)
        self.guests[username] = hash_secret(secret)
        database = self.app.database
        known = await database.read(lambda conn: list(credentials.every(conn)))
        await asyncio.to_thread(self.accounts.write, known)
        await self.accounts.reload()
        return secret

    async def key(self, role: KeyRole, person_id: str | None = None) -> str:
        """A fresh API key."""
        secret = new_secret()
        key = keys.ApiKey(
            id=self.ids.uuid7(),
            name=f"{role.value} {person_id or ''} {self.ids.reference()}",
            role=role,
            key_hash=hash_key(self.secret_key, secret),
            person_id=person_id,
            created_at=self.clock.now(),
            expires_at=None,
            revoked_at=None,
            last_used_at=None,
        )
        await self.app.database.write(Priority.ADMINISTRATION, lambda conn: keys.add(conn, key))
        return secret

    async def worker_app(
        self,
        person_id: str,
        *,
        taps: str | None = None,
        taps_after_s: float = 3.0,
        confirms: bool = True,
        on_event: Callable[[str, Shown], None] | None = None,
    ) -> WorkerApp:
        """The app of a person of the city; not yet signed in."""
        key = await self.key(KeyRole.GRID_WORKER, person_id)
        return WorkerApp(
            self.app.http_url,
            key,
            self.clock.now,
            person_id=person_id,
            taps=taps,
            taps_after_s=taps_after_s,
            confirms=confirms,
            on_event=on_event,
        )

    async def _set(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.database_url = self.database_url or f"sqlite+aiosqlite:///{self.folder / 'gengfu.db'}"
        await self._stack.enter_async_context(self._emulator())
        await self._start_broker()
        await self._fill_database()
        self.http_port = self.http_port or free_port()
        self.config = self._config()
        self.emulator.inbound_url = f"{self.public_url}/callbacks/twilio/inbound"
        if self.start_app:
            self.app = await self._stack.enter_async_context(Application(self.config, self.clock))

    @property
    def public_url(self) -> str:
        return f"http://127.0.0.1:{self.http_port}"

    def _emulator(self) -> TwilioEmulator:
        self.emulator = TwilioEmulator(
            account_sid=ACCOUNT_SID,
            auth_token=self.auth_token,
            clock=self.clock.now,
            time_scale=self.time_scale,
            speech_seconds_per_char=self.speech_seconds_per_char,
            on_event=self.on_phone,
        )
        return self.emulator

    async def _start_broker(self) -> None:
        self.device_secrets = {device.id: secrets.token_urlsafe(16) for device in self.city.devices}
        self._hashes = {id_: hash_secret(secret) for id_, secret in sorted(self.device_secrets.items())}
        accounts = [Account(*known) for known in self._hashes.items()]
        service = Account(SERVICE_USERNAME, hash_secret(self.service_secret))
        if self.embedded:
            embedded = await self._stack.enter_async_context(EmbeddedBroker(service=service, devices=accounts))
            self.broker, self.accounts = embedded, EmbeddedAccounts(embedded, self.guests)
            return
        child = await MosquittoChild.launch(
            self.folder / "broker", service=service, devices=accounts, template=self.broker_template
        )
        self._stack.push_async_callback(child.stop)
        self.broker, self.accounts = child, ChildAccounts(child, service, self.guests, self.broker_template)

    _hashes: dict[str, str] = field(default_factory=dict, repr=False)

    async def _fill_database(self) -> None:
        await asyncio.to_thread(migrate.upgrade, self.database_url)
        database = open_database(self.database_url, monotonic=self.clock.monotonic)
        try:
            now = self.clock.now()
            await database.write(
                Priority.ADMINISTRATION,
                lambda conn: seed(conn, self.city, now=now, ids=self.ids, credentials=self._hashes),
            )
        finally:
            await database.close()

    @property
    def twilio(self) -> TwilioSettings:
        """The account at the emulator."""
        return TwilioSettings(
            account_sid=ACCOUNT_SID,
            auth_token=self.auth_token,
            from_number=FROM_NUMBER,
            public_url=self.public_url,
            base_url=self.emulator.base_url,
            two_way=self.core.sms_two_way,
        )

    def _config(self) -> AppConfig:
        version = MQTTProtocolVersion(EMBEDDED_VERSION) if self.embedded else MQTTProtocolVersion.MQTTv5
        return AppConfig(
            database_url=self.database_url,
            secret_key=self.secret_key,
            gateway=GatewaySettings(
                host=self.broker.host,
                port=self.broker.port,
                client_id=f"gengfu-{secrets.token_hex(8)}",
                username=SERVICE_USERNAME,
                password=self.service_secret,
                protocol_version=version,
            ),
            vendors={"twilio": self.twilio},
            public_url=self.public_url,
            folder=self.folder,
            http_port=self.http_port,
            core=self.core,
            roles=self.roles,
            other_accounts=frozenset({SERVICE_USERNAME}),
            broker_accounts=self.accounts,
            canary_every_s=self.canary_every_s,
        )


def is_sqlite(url: str) -> bool:
    return parse(url).drivername == "sqlite"
