"""The broker's files from settings and registry: service account, devices, foreign sources. Never talks to a broker."""

import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gengfu.broker.errors import BrokerFilesError
from gengfu.broker.files import Account, BrokerFiles, SourceFilter, hash_password, password_matches, render
from gengfu.broker_address import Scheme, port_plain
from gengfu.settings_model import Settings

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


def write_broker_files(
    settings: Settings,
    directory: Path,
    credentials: Iterable[tuple[str, str]],
    *,
    port: int | None = None,
    enrol_sources: bool = False,
) -> Written:
    """Write the three files. `credentials`: id and hash of every device that may connect (`devices.store.devices`).

    What the files in `directory` say already is kept where it still holds: the port (unless `port` is given), the
    service's hash, the secrets of sources. A source without one gets one with `enrol_sources`, else it stays out.
    Raises BrokerFilesError, and OSError where the folder cannot be written.
    """
    known = _known(directory / "passwords")
    sources, fresh = _sources(settings, known, enrol_sources)
    named = {account.username for account in sources}
    devices = [Account(device_id, credential_hash) for device_id, credential_hash in credentials]
    files = render(
        directory,
        port=port or _port(settings, directory / "mosquitto.conf"),
        service=_service(settings, known),
        devices=devices,
        sources=sources,
        filters=[SourceFilter(each.account, each.filter) for each in settings.sources if each.account in named],
    )
    return Written(files, len(devices), tuple(fresh))


def _known(passwords: Path) -> dict[str, str]:
    """Name and hash of every account in the file that is there; none without one."""
    if not passwords.is_file():
        return {}
    lines = passwords.read_text(encoding="utf-8").splitlines()
    return dict(line.split(":", 1) for line in lines if ":" in line)


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
            accounts[name] = Account(name, hash_password(login.secret))
    return list(accounts.values()), fresh


def _port(settings: Settings, configuration: Path) -> int:
    """The port of the files that are there, else that of `broker_url` where it speaks plainly, else the usual one."""
    if configuration.is_file():
        found = _LISTENER.search(configuration.read_text(encoding="utf-8"))
        if found is not None:
            return int(found.group(1))
    broker = settings.broker
    return broker.port if broker is not None and broker.scheme is Scheme.MQTT else port_plain
