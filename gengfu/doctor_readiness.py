"""What `gengfu doctor` asks of every provider's account, and how many workers are not ready. Sends nothing."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from alerting.channels.base import ChannelProvider, Health, HealthWord
from alerting.channels.base import Finding as Checked
from alerting.channels.providers import TABLE as VENDORS
from alerting.core.readiness import Item, What, faults, phones_asked, readiness
from alerting.store import readiness as store
from alerting.store.readiness import CheckRow
from api.store.readiness import facts_of, workers_page
from gengfu.doctor_findings import Finding, fault_of, fine, warning
from gengfu.doctor_phones import OfWorker, phone_findings
from gengfu.readiness_setup import card_of, configured_of
from gengfu.settings_model import Settings
from gengfu.template_check import template_faults
from gengfu.vendors import accounts_of

check_within_s = 8.0
people_at_once = 500
receipts_within = timedelta(hours=24)
named_max = 3
SAFETY = {What.OPTED_OUT.value, What.UNREACHABLE.value}
"""Known to keep a fire alarm from somebody: a fault. The rest is worth putting right by day."""


def account_findings(settings: Settings) -> list[Finding]:
    """One line per account and thing checked; none where no vendor is configured."""
    return [*_template_lines(settings), *asyncio.run(_accounts(accounts_of(settings)))]


def workers_ready(conn: Connection, settings: Settings, now: datetime) -> list[Finding]:
    """How many workers are not ready, what it is mostly, and whose phones did not prove themselves by day."""
    vendors = accounts_of(settings)
    card = card_of(vendors, settings.caller_name, settings.caller_numbers)
    daily, links = settings.self_test.daily, bool(settings.public_url or settings.twilio)
    configured = configured_of(vendors, self_tests=daily, numbers=card.numbers, links=links)
    phones: list[OfWorker] = []
    wrong: dict[str, tuple[Item, ...]] = {}
    count, after = 0, None
    while rows := workers_page(conn, after, people_at_once, now=now):
        count, after = count + len(rows), rows[-1][0]
        codes = {row[0]: row[1] for row in rows}
        for facts in facts_of(conn, list(codes)):
            wrong[facts.person_id] = faults(readiness(facts, configured, now))
            phones.append(OfWorker(codes[facts.person_id], phones_asked(facts.phones, configured.carriers)))
    ready = _workers_line(count, {who: items for who, items in wrong.items() if items})
    return [ready, *(phone_findings(phones, now) if daily else ())]


def receipt_findings(conn: Connection, now: datetime) -> list[Finding]:
    """Has each vendor called back lately? Never is not known: it may have had nothing to say."""
    seen = store.last_receipts(conn, now - receipts_within)
    return [_receipt_line(row, seen.get(row.provider)) for row in store.checks(conn) if _has_receipts(row)]


async def _accounts(vendors: Mapping[str, object]) -> list[Finding]:
    providers = [each for name, settings in vendors.items() for each in VENDORS[name].build(settings).values()]
    try:
        healths = await asyncio.gather(*map(_asked, providers))
    finally:
        for provider in providers:
            await provider.close()
    return _lines([(each, found) for each, health in zip(providers, healths, strict=True) for found in _told(health)])


def _told(health: Health) -> Iterable[Checked]:
    for found in health.findings:
        balance = health.balance if found.about == "balance" and not found.detail else None
        yield found if balance is None else replace(found, detail=f"{balance}.")


async def _asked(provider: ChannelProvider) -> Health:
    try:
        async with asyncio.timeout(check_within_s):
            return await provider.check()
    except TimeoutError:
        return Health((Checked("credentials", HealthWord.UNKNOWN, "It did not answer in time."),))


def _lines(found: Iterable[tuple[ChannelProvider, Checked]]) -> list[Finding]:
    """What both channels of an account say alike is said once."""
    channels: dict[tuple[str, Checked], list[str]] = {}
    for provider, finding in found:
        channels.setdefault((provider.name, finding), []).append(provider.channel.value)
    return [_line(vendor, finding, " and ".join(named)) for (vendor, finding), named in channels.items()]


def _line(vendor: str, found: Checked, channels: str) -> Finding:
    told = f"{found.about} ({channels}): {found.detail or _PLAIN[found.word]}"
    match found.word:
        case HealthWord.FINE:
            return fine(vendor, told)
        case HealthWord.UNKNOWN:
            return warning(vendor, told)
        case HealthWord.FAULT:
            return fault_of(vendor, told)


_PLAIN = {HealthWord.FINE: "fine.", HealthWord.UNKNOWN: "not known.", HealthWord.FAULT: "at fault."}


def _template_lines(settings: Settings) -> list[Finding]:
    return [fault_of("templates", sentence) for sentence in template_faults(settings)]


def _has_receipts(row: CheckRow) -> bool:
    return any(found.about == "receipts" for found in row.findings)


def _receipt_line(row: CheckRow, seen: datetime | None) -> Finding:
    name = row.provider
    if seen is not None:
        return fine(name, f"receipts ({row.channel.value}): the last callback came {seen:%Y-%m-%d %H:%M} UTC.")
    return warning(
        name,
        f"receipts ({row.channel.value}): no callback in the last 24 h: make a test call to a contact.",
    )


def _workers_line(count: int, wrong: Mapping[str, tuple[Item, ...]]) -> Finding:
    if not wrong:
        return fine("readiness", f"{count} workers, none with a known fault.")
    kinds: dict[str, int] = {}
    for items in wrong.values():
        for what in dict.fromkeys(item.what.value for item in items):
            kinds[what] = kinds.get(what, 0) + 1
    most = sorted(kinds.items(), key=lambda pair: (-pair[1], pair[0]))[:named_max]
    mostly = ", ".join(f"{what} {number}" for what, number in most)
    told = f"{len(wrong)} of {count} workers are not ready ({mostly}): see GET /api/v1/readiness/workers."
    return (fault_of if kinds.keys() & SAFETY else warning)("readiness", told)
