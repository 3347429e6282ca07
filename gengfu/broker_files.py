"""The broker's files from settings and registry: service account, devices, foreign sources. Never talks to a broker."""

import logging
import re
import secrets
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gengfu.broker.errors import BrokerFilesError
from gengfu.broker.files import (
    Account,
    BrokerFiles,
    SourceFilter,
    account_fault,
    hash_password,
    hash_secret,
    password_matches,
    render,
)
from gengfu.broker.replacing import only_writer
from gengfu.broker_address import Scheme, port_plain
from gengfu.settings_model import Settings

log = logging.getLogger(__name__)

source_secret_bytes = 16
_LISTENER = re.compile(r"^listener ([0-9]+)\b", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class FreshLogin:
    """A login of a foreign source that has just been made up: shown once, stored only as its hash."""

    username: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Written:
    files: BrokerFiles
    devices: int
    fresh: tuple[FreshLogin, ...] = ()
    left_out: tuple[str, ...] = ()
    """Devices that cannot be an account, or bear the name of another one: they keep nobody else from connecting."""


def write_broker_files(
    settings: Settings,
    directory: Path,
    credentials: Iterable[tuple[str, str]],
    *,
    port: int | None = None,
    enrol_sources: bool = False,
) -> Written:
    """Write the three files, one writer at a time. `credentials`: id and hash of every device that may connect, in
    order of ids (`devices.store.credentials`); asked for only once nobody else writes.

    What the files in `directory` say already is kept where it still holds: the port (unless `port` is given), the
    service's hash, the secrets of sources. A source without one gets one with `enrol_sources`, else it stays out.
    Raises BrokerFilesError, and OSError where the folder cannot be written.
    """
    with only_writer(directory):
        names = {source.account for source in settings.sources}
        known = _known(directory / "passwords", names | {_service_name(settings)})
        service = _service(settings, known)
        sources, fresh = _sources(settings, known, enrol_sources)
        named = {account.username for account in sources}
        devices = _Devices(credentials, taken=names | {service.username})
        files = render(
            directory,
            port=port or _port(settings, directory / "mosquitto.conf"),
            service=service,
            devices=devices,
            sources=sources,
            filters=[SourceFilter(each.account, each.filter) for each in settings.sources if each.account in named],
        )
    return Written(files, devices.count, tuple(fresh), tuple(devices.left_out))


class SettingsAccounts:
    """The accounts in a folder of broker files. Whoever runs that broker makes it read them again."""

    def __init__(self, settings: Settings, directory: Path) -> None:
        self._settings = settings
        self._directory = directory

    def write(self, devices: Iterable[tuple[str, str]]) -> bool:
        """See `gengfu.broker_follow.BrokerAccounts`."""
        written = write_broker_files(self._settings, self._directory, devices)
        if written.left_out:
            log.error("these devices cannot be accounts of the broker: %s", ", ".join(written.left_out[:5]))
        if written.files.changed:
            log.info("the broker's files know %d devices", written.devices)
        return written.files.changed

    async def reload(self) -> None:
        """The path unit of systemd, or a person, has seen the new files."""
        return


class _Devices:
    """The devices' accounts, as they are asked for. What cannot be one is left out and remembered: one wrong row must
    not keep a revoked device in."""

    def __init__(self, credentials: Iterable[tuple[str, str]], taken: Container[str]) -> None:
        self.count = 0
        self.left_out: list[str] = []
        self._credentials = credentials
        self._taken = taken

    def __iter__(self) -> Iterator[Account]:
        for device_id, credential_hash in self._credentials:
            account = Account(device_id, credential_hash)
            if device_id in self._taken or account_fault(account) is not None:
                self.left_out.append(device_id)
                continue
            self.count += 1
            yield account


def _known(passwords: Path, names: set[str]) -> dict[str, str]:
    """Name and hash of these accounts where they stand in the file that is there; none without one."""
    known: dict[str, str] = {}
    if not passwords.is_file():
        return known
    with passwords.open(encoding="utf-8") as lines:
        for line in lines:
            name, _, credential_hash = line.rstrip("\n").partition(":")
            if name in names:
                known[name] = credential_hash
            if len(known) == len(names):
                break
    return known


def _service_name(settings: Settings) -> str:
    broker = settings.broker
    return broker.username or "" if broker is not None else ""


def _service(settings: Settings, known: Mapping[str, str]) -> Account:
    """The account of `broker_url`; its hash stays the same while its secret does."""
    broker = settings.broker
    if broker is None or broker.embedded or broker.username is None or not broker.password:
        raise BrokerFilesError(
            "broker_url names no account for the service: set GENGFU_BROKER_URL to "
            "mqtt://gengfu-service:SECRET@host:1883, with a secret of your own"
        )
    kept = known.get(broker.username)
    if kept is not None and kept.startswith("$7$") and password_matches(broker.password, kept):
        return Account(broker.username, kept)
    return Account(broker.username, hash_password(broker.password))


def _sources(settings: Settings, known: Mapping[str, str], enrol: bool) -> tuple[list[Account], list[FreshLogin]]:
    accounts: dict[str, Account] = {}
    fresh = []
    for name in dict.fromkeys(source.account for source in settings.sources):
        if name in known:
            accounts[name] = Account(name, known[name])
        elif enrol:
            login = FreshLogin(name, secrets.token_urlsafe(source_secret_bytes))
            fresh.append(login)
            accounts[name] = Account(name, hash_secret(login.secret))
    return list(accounts.values()), fresh


def _port(settings: Settings, configuration: Path) -> int:
    """The port of the files that are there, else that of `broker_url` where it speaks plainly, else the usual one."""
    if configuration.is_file():
        found = _LISTENER.search(configuration.read_text(encoding="utf-8"))
        if found is not None:
            return int(found.group(1))
    broker = settings.broker
    return broker.port if broker is not None and broker.scheme is Scheme.MQTT else port_plain
