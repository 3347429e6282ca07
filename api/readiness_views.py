"""Readiness as it is shown, in the caller's language. Decides nothing and reads nothing."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from alerting.core.readiness import Configured, Facts, Item, Phone, Word, faults, phones_asked, readiness
from alerting.store.readiness import CheckRow
from api.schemas.readiness import FindingOut, ItemOut, PhoneOut, ProviderReadiness, WorkerReadiness
from api.words import say
from api.words_readiness import CARRIERS, ITEMS, REMEDIES, about
from devices.model import Language


def worker_shown(
    facts: Facts, code: str, name: str, configured: Configured, now: datetime, language: Language
) -> WorkerReadiness:
    items = readiness(facts, configured, now)
    wrong = len(faults(items))
    return WorkerReadiness(
        id=facts.person_id,
        code=code,
        name=name,
        ready=wrong == 0,
        faults=wrong,
        unknown=sum(item.word is Word.UNKNOWN for item in items),
        items=[_item(item, language) for item in items],
        phones=[_phone(phone, now, language) for phone in phones_asked(facts.phones, configured.carriers)],
    )


def providers_shown(
    rows: Iterable[CheckRow],
    accepted: Mapping[tuple[str, str], datetime],
    receipts: Mapping[str, datetime],
    language: Language,
) -> list[ProviderReadiness]:
    return [
        ProviderReadiness(
            provider=row.provider,
            channel=row.channel,
            ready=all(found.word != Word.FAULT.value for found in row.findings),
            checked_at=row.checked_at,
            balance=row.balance,
            last_accepted_at=accepted.get((row.provider, row.channel.value)),
            last_receipt_at=receipts.get(row.provider),
            findings=[
                FindingOut(
                    about=found.about,
                    name=say(about(found.about), language),
                    word=Word(found.word),
                    detail=found.detail,
                    since=found.since,
                )
                for found in row.findings
            ],
        )
        for row in rows
    ]


def _phone(phone: Phone, now: datetime, language: Language) -> PhoneOut:
    return PhoneOut(
        carrier=phone.carrier,
        subscription_id=phone.subscription_id,
        name=" ".join(filter(None, (say(CARRIERS[phone.carrier], language), phone.label))),
        word=phone.word(now),
        sent_at=phone.sent_at,
        tapped_at=phone.tapped_at,
        untapped_since=phone.untapped_since,
        refused=phone.refused or None,
    )


def _item(item: Item, language: Language) -> ItemOut:
    return ItemOut(
        what=item.what,
        name=say(ITEMS[item.what.value], language),
        word=item.word,
        channel=item.channel,
        about=item.about,
        since=item.since,
        detail=item.detail,
        remedy=None if item.remedy is None else say(REMEDIES[item.remedy], language),
    )
