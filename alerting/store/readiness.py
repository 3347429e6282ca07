"""What the last look at each provider found, and who has tapped the daily message. Never decides what is a fault."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, literal, null, select, true, update
from sqlalchemy.dialects import postgresql, sqlite

from alerting.core.readiness import STREAM, Phone
from alerting.store.tables import attempts, callbacks, incidents, notifications
from alerting.store.tables_readiness import provider_checks, self_tests
from devices.model import Channel, Language, PersonKind
from devices.store.lists import one_of
from devices.store.subscriptions import note_confirmed
from devices.store.tables import contact_points, people
from devices.store.tables_duty import leaves
from devices.store.tables_subscriptions import subscriptions

incidents_looked_at = 200
_UPSERT: Mapping[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


@dataclass(frozen=True, slots=True)
class Found:
    """One finding of a check: `word` is fine, fault or unknown; `since` when it became so."""

    about: str
    word: str
    detail: str
    since: datetime


@dataclass(frozen=True, slots=True)
class CheckRow:
    provider: str
    channel: Channel
    checked_at: datetime
    findings: tuple[Found, ...]
    balance: str | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """Who is asked to tap, by a link that only his phone has."""

    person_id: str
    name: str
    language: Language
    place_id: str | None
    tapped: bool


def checks(conn: Connection) -> list[CheckRow]:
    """The last look at each provider, by vendor and channel."""
    query = select(provider_checks).order_by(provider_checks.c.provider, provider_checks.c.channel)
    return [_check(row) for row in conn.execute(query)]


def keep_checks(conn: Connection, rows: Sequence[CheckRow]) -> None:
    """These looks take the place of the ones before; what has not changed keeps its time."""
    before = {(row.provider, row.channel): row for row in checks(conn)}
    for row in rows:
        old = before.get((row.provider, row.channel))
        known = {(each.about, each.word): each.since for each in (old.findings if old else ())}
        findings = [
            {
                "about": each.about,
                "word": each.word,
                "detail": each.detail,
                "since": known.get((each.about, each.word), each.since).isoformat(),
            }
            for each in row.findings
        ]
        values = {"checked_at": row.checked_at, "findings": findings, "balance": row.balance}
        query = _UPSERT[conn.dialect.name](provider_checks).values(
            provider=row.provider, channel=row.channel.value, **values
        )
        conn.execute(query.on_conflict_do_update(index_elements=["provider", "channel"], set_=values))


def forget_checks(conn: Connection, kept: Collection[tuple[str, str]], channels: Collection[Channel]) -> None:
    """Providers of these channels that are configured no longer."""
    for row in checks(conn):
        if row.channel in channels and (row.provider, row.channel.value) not in kept:
            mine = (provider_checks.c.provider == row.provider, provider_checks.c.channel == row.channel.value)
            conn.execute(delete(provider_checks).where(*mine))


def last_receipts(conn: Connection, since: datetime) -> dict[str, datetime]:
    """Vendor -> when it last called back, no earlier than `since`."""
    newest = func.max(callbacks.c.received_at)
    rows = conn.execute(
        select(callbacks.c.provider, newest).where(callbacks.c.received_at >= since).group_by(callbacks.c.provider)
    )
    return {row[0]: row[1] for row in rows}


def last_accepted(conn: Connection) -> dict[tuple[str, str], datetime]:
    """(vendor, channel) -> when it last took a message of one of the newest `incidents_looked_at` incidents."""
    newest = select(incidents.c.id).order_by(incidents.c.id.desc()).limit(incidents_looked_at).scalar_subquery()
    query = (
        select(attempts.c.provider, notifications.c.channel, func.max(attempts.c.provider_accepted_at))
        .join(notifications, notifications.c.id == attempts.c.notification_id)
        .where(attempts.c.incident_id.in_(newest), attempts.c.provider_accepted_at.is_not(None))
    )
    return {
        (row[0], row[1]): row[2] for row in conn.execute(query.group_by(attempts.c.provider, notifications.c.channel))
    }


def to_self_test(conn: Connection, now: datetime, most: int, after: str | None = None) -> list[tuple[str, Language]]:
    """Workers to whose apps alarms go, in order of ids: not who has left or is on leave."""
    away = select(leaves.c.person_id).where(leaves.c.starts_at <= now, leaves.c.ends_at > now)
    query = select(people.c.id, people.c.language).where(
        people.c.kind == PersonKind.WORKER.value,
        people.c.left_at.is_(None) | (people.c.left_at > now),
        people.c.id.in_(_BY_APP),
        people.c.id.not_in(away),
        true() if after is None else people.c.id > after,
    )
    rows = conn.execute(query.order_by(people.c.id).limit(most))
    return [(row[0], Language(row[1])) for row in rows]


def phones_of(conn: Connection, people_ids: Collection[str]) -> dict[str, tuple[Phone, ...]]:
    """Every live subscription and the stream of each of these people, with what became of the last message there. Not
    of whom no alarm goes to an app: without such a contact a subscription is never used."""
    found: dict[str, list[Phone]] = {}
    if people_ids:
        asked = {"people_ids": sorted(people_ids)}
        for person_id, *columns in (*conn.execute(_SUBSCRIBED, asked), *conn.execute(_STREAMS, asked)):
            found.setdefault(person_id, []).append(_phone(columns))
    return {person_id: tuple(phones) for person_id, phones in found.items()}


def begin_self_test(conn: Connection, person_id: str, phone: str, day: str, test_id: str, now: datetime) -> bool:
    """This process sends today's message to this phone; False: somebody has. An untapped one stays untapped."""
    first = _UPSERT[conn.dialect.name](self_tests).values(
        person_id=person_id, phone=phone, day=day, test_id=test_id, sent_at=now, untapped_since=now, refused=""
    )
    if conn.execute(first.on_conflict_do_nothing()).rowcount == 1:
        return True
    mine = (self_tests.c.person_id == person_id, self_tests.c.phone == phone, self_tests.c.day < day)
    untapped = func.coalesce(self_tests.c.untapped_since, now)
    again = update(self_tests).where(*mine)
    values = {"day": day, "test_id": test_id, "sent_at": now, "untapped_since": untapped, "refused": ""}
    return conn.execute(again.values(**values)).rowcount == 1


def refuse_self_test(conn: Connection, test_id: str, why: str) -> None:
    """Its carrier would not take this message for this phone."""
    conn.execute(update(self_tests).where(self_tests.c.test_id == test_id).values(refused=why[:64]))


def tap_self_test(conn: Connection, person_id: str, test_id: str, now: datetime) -> bool:
    """He tapped it on that phone, which says that its subscription works, and nothing of any other. A repeat says the
    same; False where this person has no such message."""
    mine = (self_tests.c.person_id == person_id, self_tests.c.test_id == test_id)
    phone = conn.scalar(select(self_tests.c.phone).where(*mine))
    if phone is None:
        return False
    conn.execute(update(self_tests).where(*mine).values(tapped_at=now, untapped_since=None, refused=""))
    note_confirmed(conn, [(phone, person_id)], now)
    return True


def asked_to_tap(conn: Connection, test_id: str) -> Asked | None:
    """Whose the newest message of some phone is; None for any other."""
    row = conn.execute(_ASKED, {"test_id": test_id}).first()
    return None if row is None else Asked(row[0], row[1], Language(row[2]), row[3], tapped=row[4] is None)


def forget_phones(conn: Connection, people_ids: Collection[str]) -> None:
    """Of subscriptions that these people have no more."""
    live = select(subscriptions.c.id).where(
        subscriptions.c.person_id == self_tests.c.person_id, subscriptions.c.gone_at.is_(None)
    )
    gone = delete(self_tests).where(
        one_of(self_tests.c.person_id, "people_ids"), self_tests.c.phone != STREAM, self_tests.c.phone.not_in(live)
    )
    conn.execute(gone, {"people_ids": sorted(people_ids)})


_BY_APP = select(contact_points.c.person_id).where(
    contact_points.c.channel == Channel.APP.value, contact_points.c.opted_out_at.is_(None)
)
_TESTED = (
    self_tests.c.day,
    self_tests.c.sent_at,
    self_tests.c.tapped_at,
    self_tests.c.untapped_since,
    self_tests.c.refused,
)
_SUBSCRIBED = (
    select(subscriptions.c.person_id, subscriptions.c.carrier, subscriptions.c.id, subscriptions.c.label, *_TESTED)
    .select_from(
        subscriptions.outerjoin(
            self_tests,
            (self_tests.c.person_id == subscriptions.c.person_id) & (self_tests.c.phone == subscriptions.c.id),
        )
    )
    .where(
        one_of(subscriptions.c.person_id, "people_ids"),
        subscriptions.c.gone_at.is_(None),
        subscriptions.c.person_id.in_(_BY_APP),
    )
    .order_by(subscriptions.c.id)
)
_STREAMS = (
    select(people.c.id, literal(STREAM), null(), literal(""), *_TESTED)
    .select_from(people.outerjoin(self_tests, (self_tests.c.person_id == people.c.id) & (self_tests.c.phone == STREAM)))
    .where(one_of(people.c.id, "people_ids"), people.c.id.in_(_BY_APP))
)
_ASKED = (
    select(people.c.id, people.c.name, people.c.language, people.c.place_id, self_tests.c.untapped_since)
    .select_from(self_tests.join(people, people.c.id == self_tests.c.person_id))
    .where(self_tests.c.test_id == bindparam("test_id"))
)


def _phone(columns: Sequence[Any]) -> Phone:
    carrier, subscription_id, label, day, sent_at, tapped_at, untapped_since, refused = columns
    return Phone(carrier, subscription_id, label, day or "", sent_at, tapped_at, untapped_since, refused or "")


def _check(row: Any) -> CheckRow:
    findings = tuple(
        Found(each["about"], each["word"], each["detail"], datetime.fromisoformat(each["since"]))
        for each in row.findings
    )
    return CheckRow(row.provider, Channel(row.channel), row.checked_at, findings, row.balance)
