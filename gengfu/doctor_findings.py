"""What `gengfu doctor` makes of what it has read: pure judgements, each one sentence with its remedy."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from alerting.channels.providers import TABLE as VENDORS
from devices.duty.plan import NOTHING_PLANNED
from devices.model import Channel, Place, Placement, Role
from devices.resolve import GRID_ROLES, RegistrySnapshot, on_duty
from gengfu.exposure import is_loopback
from gengfu.settings_model import Settings
from gengfu.vendors import PHONES, accounts_of, carriers_by_channel

clock_behind_max = timedelta(seconds=5)
"""Processes on several machines may differ so much; a wall clock further behind its own rows was set back."""
names_shown_max = 5


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report."""

    name: str
    ok: bool
    sentence: str
    warns: bool = False
    """Worth putting right, but no fault."""


def fine(name: str, sentence: str) -> Finding:
    return Finding(name, True, sentence)


def warning(name: str, sentence: str) -> Finding:
    return Finding(name, True, sentence, warns=True)


def fault_of(name: str, sentence: str) -> Finding:
    return Finding(name, False, sentence)


@dataclass(frozen=True, slots=True)
class Registry:
    """Grids by id with their names, and the registry as it stood at `at`."""

    grids: Mapping[str, str]
    snapshot: RegistrySnapshot
    at: datetime


def clock_finding(now: datetime, last: datetime | None) -> Finding:
    """A clock that stands before what it has itself written is wrong."""
    if last is not None and last - now > clock_behind_max:
        behind = round((last - now).total_seconds())
        return fault_of("clock", f"It is {behind} s behind the newest committed row: set the clock (NTP).")
    return fine("clock", f"{now:%Y-%m-%d %H:%M:%S} UTC, not before the newest committed row.")


def providers_finding(settings: Settings) -> Finding:
    """Somebody who sends SMS and somebody who calls; it may be one vendor or several."""
    carriers = carriers_by_channel(accounts_of(settings))
    texts, calls = (", ".join(carriers[channel]) for channel in PHONES)
    if not texts and not calls:
        return fault_of("providers", f"Nobody sends SMS or calls: {_HOW_TO_SEND}.")
    if not calls and settings.twilio is not None:
        return fault_of("providers", "A messaging service cannot call: set GENGFU_TWILIO__FROM_NUMBER to a number.")
    if not texts or not calls:
        return fault_of("providers", f"Nobody {'calls' if texts else 'sends SMS'}: {_HOW_TO_SEND}.")
    told = f"{texts} for SMS and calls" if texts == calls else f"{texts} for SMS, {calls} for calls"
    addresses = sorted({each for each in map(_stands_in, accounts_of(settings).values()) if each})
    via = f" through {', '.join(addresses)}" if addresses else ""
    return fine("providers", f"There are credentials of {told}{via}.")


_HOW_TO_SEND = (
    "set the account of a vendor, such as GENGFU_TWILIO__ACCOUNT_SID, __AUTH_TOKEN and __FROM_NUMBER, "
    "or [aliyun] or [tencent] with their templates (docs/providers)"
)


def _stands_in(account: object) -> str | None:
    """The address on this machine that stands in for the vendor."""
    addresses = (getattr(account, name, None) for name in ("base_url", "sms_base_url", "voice_base_url"))
    return next((each for each in addresses if each and is_loopback(urlsplit(each).hostname or "")), None)


def callback_finding(settings: Settings) -> Finding:
    """Can a provider reach us with receipts and pressed keys?"""
    calling_back = {name: each for name, each in accounts_of(settings).items() if VENDORS[name].calls_back}
    outside = any(_stands_in(each) is None for each in calling_back.values())
    parts = urlsplit(settings.callback_base)
    if outside and settings.public_url is None:
        return fault_of("callbacks", "Providers cannot call back: set GENGFU_PUBLIC_URL to our address outside.")
    if outside and (is_loopback(parts.hostname or "") or parts.scheme != "https"):
        return fault_of(
            "callbacks",
            f"{settings.callback_base} is not HTTPS from outside: correct GENGFU_PUBLIC_URL.",
        )
    return fine("callbacks", f"Providers call back at {settings.callback_base}/callbacks/.")


def https_finding(settings: Settings) -> Finding:
    """On a network, people sign in over HTTPS or not at all."""
    if settings.http_tls_cert is not None and settings.http_tls_key is not None:
        missing = [path for path in (settings.http_tls_cert, settings.http_tls_key) if not path.is_file()]
        if missing:
            return fault_of("https", f"{missing[0]} is no file: correct GENGFU_HTTP_TLS_CERT and _KEY.")
        return fine("https", f"HTTPS on {settings.http_host}:{settings.http_port}.")
    if settings.trusted_proxies:
        return fine("https", f"Behind the proxy {', '.join(settings.trusted_proxies)}.")
    if is_loopback(settings.http_host):
        return fine("https", f"Only this machine reaches {settings.http_host}:{settings.http_port}.")
    return fault_of(
        "https",
        f"{settings.http_host}:{settings.http_port} is open to a network without HTTPS, so nobody may sign in: "
        "set GENGFU_HTTP_TLS_CERT and "
        "GENGFU_HTTP_TLS_KEY, or put a proxy before it and name it in GENGFU_TRUSTED_PROXIES.",
    )


def import_finding(name: str, written: int, size: int) -> Finding:
    """An import is not at its end: alarms go on, but nobody else may change the registry."""
    return fault_of(
        "import",
        f"{name}: {written} of {size} rows are written, and other changes of the registry wait for the rest. "
        "Where the number stands still, see the log, then restart `gengfu serve`: it goes on from there.",
    )


def roster_finding(registry: Registry) -> Finding:
    """Every grid has somebody of its own on duty now."""
    if not registry.grids:
        return fault_of("roster", "There is no grid yet: nobody of any grid would be called.")
    gaps = [name for grid, name in registry.grids.items() if not _own_duty(registry, grid)]
    if gaps:
        return fault_of("roster", f"Nobody is on duty now in {_named(gaps)}: plan a shift or a standing duty.")
    return fine("roster", f"Somebody is on duty in each of {len(registry.grids)} grids.")


def workers_finding(registry: Registry) -> Finding:
    """Everybody who is on duty now can be called."""
    people = registry.snapshot.people
    standing = _standing_now(registry)
    silent = [people[each].name for each in sorted(standing) if not people[each].contacts]
    if silent:
        return fault_of("workers", f"On duty without any contact: {_named(silent)}: add a telephone number.")
    deaf = [people[each].name for each in sorted(standing) if not _has_phone(registry, each)]
    if deaf:
        return fault_of("workers", f"On duty without a telephone number: {_named(deaf)}: add one.")
    return fine("workers", f"{len(standing)} people on duty, each with a telephone number.")


def _own_duty(registry: Registry, grid: str) -> bool:
    return bool(_stand(registry, grid, None, GRID_ROLES - {Role.NEIGHBOUR_GRID}))


def _standing_now(registry: Registry) -> set[str]:
    """Everybody who stands anywhere: in each grid, at each place that has duty of its own, for everything."""
    snapshot, places = registry.snapshot, frozenset(Role) - GRID_ROLES
    grids = {*registry.grids, *snapshot.shifts_by_grid, *snapshot.planned_by_grid, *snapshot.members}
    standing = {who for grid in grids for who in _stand(registry, grid, None, GRID_ROLES)}
    for place_id in {*snapshot.shifts_by_place, *snapshot.planned_by_place}:
        standing |= _stand(registry, None, snapshot.places.get(place_id), places)
    return standing | {each.id for role in Role for each in on_duty(snapshot, None, role, registry.at)}


def _stand(registry: Registry, grid: str | None, place: Place | None, roles: Iterable[Role]) -> set[str]:
    """Who stands there, leaving out those who stand for everything."""
    placement = Placement("", "", () if place is None else (place,), grid)
    snapshot = replace(registry.snapshot, shifts_global=(), planned_global=NOTHING_PLANNED)
    return {each.id for role in roles for each in on_duty(snapshot, placement, role, registry.at)}


def _has_phone(registry: Registry, person_id: str) -> bool:
    person = registry.snapshot.people[person_id]
    return person.contact(Channel.SMS) is not None or person.contact(Channel.VOICE) is not None


def _named(names: list[str]) -> str:
    more = len(names) - names_shown_max
    return ", ".join(names[:names_shown_max]) + (f" and {more} more" if more > 0 else "")
