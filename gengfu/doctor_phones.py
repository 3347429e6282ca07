"""What `gengfu doctor` says of the daily self-test message: on which phones it was tapped. Pure; no address."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from alerting.core.readiness import Phone
from api.words_readiness import CARRIERS
from gengfu.doctor_findings import Finding, fine, warning

workers_named_max = 10
NAME = "self-test"


@dataclass(frozen=True, slots=True)
class OfWorker:
    """A worker by his code, and every phone that gets a message of its own."""

    code: str
    phones: Sequence[Phone]


def phone_findings(workers: Sequence[OfWorker], now: datetime) -> list[Finding]:
    """A line for each worker with a phone that went untapped too long, with all his phones; then the rest."""
    stale = [each for each in workers if any(phone.stale(now) for phone in each.phones)]
    lines = [warning(NAME, _of_worker(each, now)) for each in stale[:workers_named_max]]
    if len(stale) > workers_named_max:
        more = len(stale) - workers_named_max
        lines.append(warning(NAME, f"{more} more workers like these: see GET /api/v1/readiness/workers."))
    without = [each.code for each in workers if not each.phones]
    if without:
        named = ", ".join(without[:workers_named_max]) + (", ..." if len(without) > workers_named_max else "")
        lines.append(warning(NAME, f"No app: the daily test does not reach {named}: {_INSTALL}."))
    phones = [phone for each in workers for phone in each.phones]
    if phones:
        proved, late = sum(phone.proved(now) for phone in phones), sum(phone.stale(now) for phone in phones)
        lines.append(
            fine(NAME, f"{len(phones)} phones: {proved} tapped, {late} too late, {len(phones) - proved - late} open.")
        )
    return lines


_INSTALL = "have it installed, and until then prove the number by a verification call"


def _of_worker(worker: OfWorker, now: datetime) -> str:
    told = "; ".join(f"{_named(phone)} {_state(phone, now)}" for phone in worker.phones)
    none = not any(phone.proved(now) for phone in worker.phones)
    remedy = "no phone of his proves that he is reached" if none else "have it tapped there, or remove the phone"
    return f"{worker.code}: {told}: {remedy}."


def _named(phone: Phone) -> str:
    vendor = CARRIERS[phone.carrier][1]
    return f'{vendor} "{phone.label}"' if phone.label else vendor


def _state(phone: Phone, now: datetime) -> str:
    if phone.sent_at is None:
        return "not sent yet"
    tapped = "never tapped" if phone.tapped_at is None else f"tapped {_at(phone.tapped_at)}"
    if phone.untapped_since is None:
        return f"sent {_at(phone.sent_at)}, {tapped}"
    if phone.refused:
        return f"refused by its carrier ({phone.refused}) {_at(phone.sent_at)}, {tapped}"
    still = "" if phone.stale(now) else " (still in time)"
    return f"sent {_at(phone.sent_at)}, not tapped since {_at(phone.untapped_since)}{still}, {tapped}"


def _at(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
