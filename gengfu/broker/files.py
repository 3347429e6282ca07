"""Renders mosquitto's configuration, password file and access list from the shipped template.

It never sees a plain secret except in `hash_password`, and never touches a running broker.
"""

import base64
import hashlib
import os
import pwd
import re
import secrets
import stat
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gengfu.broker.errors import BrokerFilesError
from gengfu.broker.replacing import replace_file

SERVICE_USERNAME: Final = "gengfu-service"
MOSQUITTO_USER: Final = "mosquitto"
TOPIC_PREFIX: Final = "gengfu/v1"

hash_rounds: Final = 101  # mosquitto's own default, for secrets that a person made up
random_hash_rounds: Final = 1  # for random secrets of 128 bits: nobody guesses those, however fast a guess is
salt_bytes: Final = 12
hash_bytes: Final = 64
topic_filter_bytes_max: Final = 512

_USERNAME = re.compile(r"[A-Za-z0-9_-]{4,64}")
_PASSWORD_HASH = re.compile(r"\$7\$[1-9][0-9]{0,8}\$[A-Za-z0-9+/]+={0,2}\$[A-Za-z0-9+/]+={0,2}")
_PLACEHOLDER = re.compile(r"@[A-Z]+@")


@dataclass(frozen=True, slots=True)
class Account:
    """One MQTT login: a name of 4 to 64 letters, digits, `_` or `-`, and a hash from `hash_password`."""

    username: str
    password_hash: str


@dataclass(frozen=True, slots=True)
class SourceFilter:
    """A topic filter that the account of one foreign sender may read and write, as zigbee2mqtt/#."""

    username: str
    topic_filter: str


@dataclass(frozen=True, slots=True)
class BrokerFiles:
    """Where `render` put the three files; all paths are absolute."""

    configuration: Path
    passwords: Path
    acl: Path
    changed: bool = True
    """Accounts or access list differ from what was there: the broker must read them again."""


def hash_password(secret: str) -> str:
    """Hash a secret as mosquitto_passwd does: PBKDF2-HMAC-SHA512, written `$7$rounds$salt$hash`."""
    salt = secrets.token_bytes(salt_bytes)
    return _encode(salt, hash_rounds, _derive(secret, salt, hash_rounds))


def hash_secret(secret: str) -> str:
    """Hash a random secret of 128 bits or more, in the same form but at once.

    On every reload mosquitto checks the secret of each connected client again, in its only thread. With 101 rounds
    4,500 clients stop all traffic for half a second, with one round for 0.03 s.
    """
    salt = secrets.token_bytes(salt_bytes)
    return _encode(salt, random_hash_rounds, _derive(secret, salt, random_hash_rounds))


def password_matches(secret: str, password_hash: str) -> bool:
    """Compare a secret with a hash from `hash_password`, in a time that tells nothing."""
    _, _, rounds, salt, expected = password_hash.split("$")
    derived = _derive(secret, base64.b64decode(salt), int(rounds))
    return secrets.compare_digest(derived, base64.b64decode(expected))


def _derive(secret: str, salt: bytes, rounds: int) -> bytes:
    return hashlib.pbkdf2_hmac("sha512", secret.encode(), salt, rounds, dklen=hash_bytes)


def _encode(salt: bytes, rounds: int, derived: bytes) -> str:
    return f"$7${rounds}${base64.b64encode(salt).decode()}${base64.b64encode(derived).decode()}"


def shipped_template() -> str:
    """The text of the shipped mosquitto.conf: at the top of a source checkout, inside the package elsewhere."""
    package = Path(__file__).resolve().parent
    for candidate in (package.parent.parent / "mosquitto.conf", package / "mosquitto.conf"):
        if candidate.is_file():
            return candidate.read_text(encoding="utf-8")
    raise BrokerFilesError(f"the shipped mosquitto.conf is missing beside {package}")


def render(
    directory: Path,
    *,
    port: int,
    service: Account,
    devices: Iterable[Account] = (),
    sources: Iterable[Account] = (),
    filters: Sequence[SourceFilter] = (),
    template: str | None = None,
    broker_user: str | None = None,
) -> BrokerFiles:
    """Write mosquitto.conf, passwords and acl into `directory`, each whole or not at all, if it differs.

    `devices` in order of names, each once; they are read and written one after the other, never held.
    `broker_user` is the system account mosquitto will run under: by default `mosquitto` where it exists
    and can reach the folder, else our own. Files become readable by its group (0640) or by us alone (0600).
    Raises BrokerFilesError for a name, hash, filter or folder that does not fit, before replacing anything.
    """
    folder = _folder(directory)
    source_accounts = list(sources)
    acl = _acl(service.username, filters, {account.username for account in source_accounts})
    owner = broker_user or _default_broker_user(folder)
    text = shipped_template() if template is None else template
    configuration = _configuration(text, folder=folder, port=port, user=owner)

    account = _other_account(owner)
    group = None if account is None else account.pw_gid
    _prepare(folder, 0o750, account)
    paths = (folder / "mosquitto.conf", folder / "passwords", folder / "acl")
    changed = replace_file(paths[1], _passwords([service, *source_accounts], devices), group)
    _prepare(folder / "data", 0o770, account)
    changed = replace_file(paths[2], [acl], group) or changed
    replace_file(paths[0], [configuration], group)
    return BrokerFiles(*paths, changed)


def _folder(directory: Path) -> Path:
    folder = Path(os.path.abspath(directory))
    if not str(folder).isprintable():
        raise BrokerFilesError(f"the folder {str(folder)!r} has characters that mosquitto.conf cannot hold")
    return folder


def _configuration(template: str, *, folder: Path, port: int, user: str) -> str:
    if not 1 <= port <= 65535:
        raise BrokerFilesError(f"{port} is not a port: 1 to 65535")
    values = {"@DIR@": str(folder), "@PORT@": str(port), "@USER@": user}

    def value(match: re.Match[str]) -> str:
        word = match.group()
        if word not in values:
            raise BrokerFilesError(f"the template asks for {word}; it may ask for {', '.join(values)}")
        return values[word]

    return _PLACEHOLDER.sub(value, template)


def _passwords(ours: Sequence[Account], devices: Iterable[Account]) -> Iterator[str]:
    """The lines of the password file: service and sources first. A device neither repeats one of them nor itself."""
    seen: set[str] = set()
    for account in ours:
        yield _line(account, seen)
        seen.add(account.username)
    before: str | None = None
    for account in devices:
        yield _line(account, (before,) if account.username == before else seen)
        before = account.username


def account_fault(account: Account) -> str | None:
    """Why this cannot be an account; None when it can. Never shows the hash."""
    if not _USERNAME.fullmatch(account.username):
        return f"{account.username!r} cannot be a broker account: [A-Za-z0-9_-]{{4,64}}"
    if not _PASSWORD_HASH.fullmatch(account.password_hash):
        return f"the password hash of {account.username} is not in mosquitto's $7$ form"
    return None


def _line(account: Account, taken: Container[str]) -> str:
    fault = account_fault(account)
    if account.username in taken:
        fault = f"the broker account {account.username} stands twice"
    if fault is not None:
        raise BrokerFilesError(fault)
    return f"{account.username}:{account.password_hash}\n"


def _acl(service: str, filters: Sequence[SourceFilter], sources: set[str]) -> str:
    return "\n".join(_acl_lines(service, filters, sources)) + "\n"


def _acl_lines(service: str, filters: Sequence[SourceFilter], sources: set[str]) -> Iterator[str]:
    for entry in filters:
        if entry.username not in sources:
            raise BrokerFilesError(f"the filter {entry.topic_filter} belongs to no source: {entry.username}")
        _check_filter(entry.topic_filter)
    yield "# Every device: its own branch, by the name it logged in with."
    yield f"pattern write {TOPIC_PREFIX}/%u/up/#"
    yield f"pattern read {TOPIC_PREFIX}/%u/down/#"
    yield ""
    yield "# The service."
    yield f"user {service}"
    yield f"topic readwrite {TOPIC_PREFIX}/#"
    yield "topic read $SYS/#"
    for topic_filter in sorted({entry.topic_filter for entry in filters}):
        yield f"topic readwrite {topic_filter}"
    for username in sorted({entry.username for entry in filters}):
        yield ""
        yield "# A foreign source: its own topics, never a device's branch."
        yield f"user {username}"
        yield f"topic deny {TOPIC_PREFIX.split('/')[0]}/#"  # the patterns above hold for every login
        for topic_filter in sorted({entry.topic_filter for entry in filters if entry.username == username}):
            yield f"topic readwrite {topic_filter}"


def _check_filter(topic_filter: str) -> None:
    """Refuse what is no MQTT topic filter (MQTT 5, section 4.7) or could reach into a device's branch."""
    levels = topic_filter.split("/")
    if not topic_filter.isprintable() or topic_filter != topic_filter.strip():
        raise BrokerFilesError(f"the topic filter {topic_filter!r} has characters that an access list cannot hold")
    if not 1 <= len(topic_filter.encode()) <= topic_filter_bytes_max:
        raise BrokerFilesError(f"a topic filter has 1 to {topic_filter_bytes_max} bytes: {topic_filter[:40]!r}")
    if levels[0] in ("#", "+", TOPIC_PREFIX.split("/")[0]) or levels[0].startswith("$"):
        raise BrokerFilesError(f"the topic filter {topic_filter} would reach beyond its own source")
    for position, level in enumerate(levels):
        wild = "+" in level or "#" in level
        if wild and (level not in ("+", "#") or (level == "#" and position != len(levels) - 1)):
            raise BrokerFilesError(f"{topic_filter} is no topic filter: + and # stand alone, # stands last")


def _default_broker_user(folder: Path) -> str:
    """`mosquitto` where it exists, can reach the folder and may be given files; else ourselves."""
    account = _system_account(MOSQUITTO_USER)
    if account is None or not _reaches(account, folder):
        return own_user()
    we_may_share = os.getuid() == 0 or account.pw_gid in (os.getegid(), *os.getgroups())
    return MOSQUITTO_USER if we_may_share else own_user()


def _reaches(account: pwd.struct_passwd, folder: Path) -> bool:
    """Whether the account may enter every folder on the way that exists already."""
    for place in (folder, *folder.parents):
        if not place.exists():
            continue
        found = place.stat()
        if found.st_uid == account.pw_uid:
            allowed = stat.S_IXUSR
        elif found.st_gid == account.pw_gid:
            allowed = stat.S_IXGRP
        else:
            allowed = stat.S_IXOTH
        if not found.st_mode & allowed:
            return False
    return True


def own_user() -> str:
    """The system account this process runs under; a made-up name where, as in containers, it has none."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid-{os.getuid()}"


def _system_account(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


def _other_account(owner: str) -> pwd.struct_passwd | None:
    """The account that must be able to read the files; None where the broker runs as ourselves."""
    if owner == own_user():
        return None
    account = _system_account(owner)
    if account is None:
        raise BrokerFilesError(f"mosquitto cannot run as {owner}: there is no such system account")
    return account


def _prepare(place: Path, mode: int, account: pwd.struct_passwd | None) -> None:
    """Make a folder for the broker; one that exists keeps its owner and mode."""
    if place.exists():
        return
    place.mkdir(parents=True, mode=0o700)
    if account is not None:
        os.chown(place, account.pw_uid if os.getuid() == 0 and mode == 0o770 else -1, account.pw_gid)
        place.chmod(mode)
