"""Marks on numbers, the facts of readiness, provider checks and self-tests: alike on both databases."""

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, insert, select, update

from alerting.core.model import Settings
from alerting.core.readiness import STREAM, Phone, Word
from alerting.marking import Marking
from alerting.self_tests import SelfTests
from alerting.store import readiness as store
from alerting.store.readiness import CheckRow, Found
from alerting.store.tables_testing import probes
from api.store.readiness import facts_of, workers_page
from api.store.tables import api_keys
from devices.duty.plan import Leave
from devices.model import Channel, Language, PersonKind
from devices.store import audit, leaves, marks, people, snapshot
from devices.store import subscriptions as subscriptions_store
from devices.store.leaves import LeaveRow
from devices.store.people import ContactRow
from devices.store.tables import people as people_table
from devices.store.tables_subscriptions import subscriptions
from gengfu.clock import RandomIds, SystemClock
from tests.contract.registry_support import NOW, Registry, contact, person

pytest_plugins = ["tests.contract.registry_fixtures"]

NUMBER = "+8613800138000"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


async def marks_of(city: Registry, person_id: str = "jia") -> dict[Channel, marks.Marks]:
    rows = await city.read(lambda conn: people.contacts(conn, person_id))
    return {row.channel: row.marks for row in rows}


async def test_a_refused_number_is_marked_once_on_its_channel_and_cleared_when_reached(city: Registry) -> None:
    refused = await city.write(lambda conn: marks.refuse(conn, Channel.VOICE, NUMBER, "twilio", "no_route", NOW))
    assert refused == [("1", "jia")]
    again = await city.write(lambda conn: marks.refuse(conn, Channel.VOICE, NUMBER, "aliyun", "other", NOW + HOUR))
    assert again == [], "the first word stands"
    found = await marks_of(city)
    said = found[Channel.VOICE]
    assert (said.unreachable_since, said.unreachable_reason, said.unreachable_provider) == (NOW, "no_route", "twilio")
    assert found[Channel.SMS].unreachable_since is None, "the other channel of the same number is another thing"
    assert await city.read(marks.marked) == {(Channel.VOICE, NUMBER)}
    assert await city.write(lambda conn: marks.reached(conn, Channel.VOICE, NUMBER))
    assert not await city.write(lambda conn: marks.reached(conn, Channel.VOICE, NUMBER))
    assert (await marks_of(city))[Channel.VOICE] == marks.UNMARKED


async def test_stop_says_more_than_an_earlier_word_and_keeps_its_time(city: Registry) -> None:
    await city.write(lambda conn: marks.refuse(conn, Channel.SMS, NUMBER, "twilio", "30005", NOW))
    both = await city.write(lambda conn: marks.refuse(conn, Channel.SMS, NUMBER, "twilio", marks.OPTED_OUT, NOW + HOUR))
    assert both == [("2", "jia"), ("4", "yi")], "whose number it is, they all"
    said = (await marks_of(city))[Channel.SMS]
    assert said.stopped
    assert said.unreachable_since == NOW
    later = await city.write(lambda conn: marks.refuse(conn, Channel.SMS, NUMBER, "aliyun", "30005", NOW + 2 * HOUR))
    assert later == []
    assert (await marks_of(city))[Channel.SMS].stopped


async def test_verifying_a_number_clears_its_mark(city: Registry) -> None:
    await city.write(lambda conn: marks.refuse(conn, Channel.SMS, NUMBER, "twilio", "30005", NOW))
    assert await city.write(lambda conn: people.verify_contact(conn, "2", NOW + HOUR))
    assert (await marks_of(city))[Channel.SMS].unreachable_since is None


async def test_a_marked_number_is_the_last_of_its_person_and_never_gone(city: Registry) -> None:
    """Somebody with two numbers is called at the other one; with one only, at that one as before."""
    second = ContactRow("9", "jia", Channel.VOICE, "+8613800138009")
    await city.write(lambda conn: people.add_contacts(conn, [second]))

    async def called() -> list[str]:
        found = await city.read(lambda conn: snapshot.people_of(conn, ["jia"], NOW))
        whole = await city.read(lambda conn: snapshot.load_all(conn, NOW))
        assert whole.people["jia"] == found["jia"], "the emergency copy asks in the same order"
        return [point.address for point in found["jia"].contacts if point.channel is Channel.VOICE]

    assert await called() == [NUMBER, second.address]
    await city.write(lambda conn: marks.refuse(conn, Channel.VOICE, NUMBER, "twilio", "no_route", NOW))
    assert await called() == [second.address, NUMBER]
    await city.write(lambda conn: marks.refuse(conn, Channel.VOICE, second.address, "twilio", "no_route", NOW))
    assert await called() == [NUMBER, second.address], "both marked: as they were entered"


async def test_white_lists_and_what_a_person_says_of_his_phone(city: Registry) -> None:
    await city.write(lambda conn: marks.whitelist(conn, "2", "aliyun", NOW))
    await city.write(lambda conn: marks.whitelist(conn, "2", "tencent", NOW + HOUR))
    assert (await marks_of(city))[Channel.SMS].whitelisted == {"aliyun": NOW, "tencent": NOW + HOUR}
    await city.write(lambda conn: marks.whitelist(conn, "2", "aliyun", None))
    assert (await marks_of(city))[Channel.SMS].whitelisted == {"tencent": NOW + HOUR}
    assert not await city.write(lambda conn: marks.whitelist(conn, "no such", "aliyun", NOW))
    assert await city.write(lambda conn: marks.card_saved(conn, "jia", NOW)) == 2, "his telephone numbers"
    assert await city.write(lambda conn: marks.guide_done(conn, "jia", NOW + HOUR)) == 2
    found = await marks_of(city)
    assert (found[Channel.VOICE].card_saved_at, found[Channel.SMS].guide_done_at) == (NOW, NOW + HOUR)
    assert found[Channel.APP] == marks.UNMARKED


async def test_what_carriers_say_is_written_behind_the_message_and_audited(city: Registry) -> None:
    changed: list[str] = []
    marking = Marking(city.database, SystemClock(), lambda: changed.append("registry"))
    marking.refused(Channel.SMS, NUMBER, "twilio", "30005")
    marking.refused(Channel.APP, "jia", "webpush", "gone")  # an app is no number
    await marking.settled()
    assert (await marks_of(city))[Channel.SMS].unreachable_provider == "twilio"
    assert changed == ["registry"]
    rows = await city.read(lambda conn: audit.page(conn, None, 10, object_id="2"))
    assert [(row.entry.act, row.entry.actor) for row in rows] == [("mark_unreachable", "twilio")]
    assert "13800138000" not in repr(rows)
    marking.reached(Channel.VOICE, NUMBER)
    marking.reached(Channel.SMS, NUMBER)
    await marking.settled()
    assert (await marks_of(city))[Channel.SMS].unreachable_since is None
    assert changed == ["registry"] * 2


async def test_what_another_process_has_marked_is_cleared_here_too(city: Registry) -> None:
    await city.write(lambda conn: marks.refuse(conn, Channel.SMS, NUMBER, "twilio", "30005", NOW))
    marking = Marking(city.database, SystemClock(), lambda: None)
    marking.reached(Channel.SMS, NUMBER)
    await marking.settled()
    assert (await marks_of(city))[Channel.SMS].unreachable_since is None


async def test_facts_hold_all_that_is_known_of_a_person(city: Registry) -> None:
    def furnish(conn: Connection) -> None:
        key = {"id": "k", "name": "k", "role": "grid_worker", "key_hash": "h", "person_id": "jia", "created_at": NOW}
        conn.execute(insert(api_keys).values(**key, last_used_at=NOW + HOUR))
        row = {"person_id": "jia", "target": {}, "label": "", "created_at": NOW}
        for number, (carrier, gone) in enumerate((("webpush", None), ("wecom", None), ("feishu", NOW))):
            own = {"id": f"s{number}", "carrier": carrier, "digest": str(number), "gone_at": gone}
            conn.execute(insert(subscriptions).values(**row, **own))
        conn.execute(update(subscriptions).where(subscriptions.c.carrier == "webpush").values(confirmed_at=NOW + DAY))
        store.begin_self_test(conn, "jia", "s0", "2026-11-27", "t1", NOW)

    await city.write(furnish)
    asked: list[tuple[Channel, str]] = []

    def budget(channel: Channel, address: str) -> tuple[tuple[str, int | None], ...]:
        asked.append((channel, address))
        return (("twilio", 3),)

    yi, jia = await city.read(lambda conn: facts_of(conn, ["yi", "jia", "nobody"], budget))
    assert (yi.person_id, jia.person_id, jia.language) == ("yi", "jia", "zh-CN")
    assert [point.channel for point in jia.points] == [Channel.VOICE, Channel.SMS, Channel.APP]
    assert jia.points[0].budget == (("twilio", 3),)
    assert jia.points[2].budget is None, "an app has none"
    assert (Channel.APP, NUMBER) not in asked
    assert jia.carriers == {"webpush": NOW + DAY, "wecom": NOW}
    assert jia.app_seen_at == NOW + HOUR
    told = [(each.subscription_id, each.carrier, each.sent_at, each.untapped_since) for each in jia.phones]
    assert told == [("s0", "webpush", NOW, NOW), ("s1", "wecom", None, None), (None, STREAM, None, None)]
    assert yi.points[0].opted_out_at == NOW


async def test_workers_in_pages_of_a_grid_or_all_without_who_has_left(city: Registry) -> None:
    def furnish(conn: Connection) -> None:
        people.insert_many(conn, [person("bing", left_at=NOW), person("ding"), person("desk", PersonKind.DESK)])

    await city.write(furnish)
    all_ = await city.read(lambda conn: workers_page(conn, None, 10, now=NOW))
    assert [row[0] for row in all_] == ["ding", "jia", "yi"]
    assert [row[0] for row in await city.read(lambda conn: workers_page(conn, "ding", 1, now=NOW))] == ["jia"]
    assert await city.read(lambda conn: workers_page(conn, None, 10, now=NOW, grid_id="grid")) == []


def check(provider: str, word: Word, seconds: int = 0, detail: str = "") -> CheckRow:
    at = NOW + timedelta(seconds=seconds)
    return CheckRow(provider, Channel.SMS, at, (Found("credentials", word.value, detail, at),), "100.00 USD")


async def test_checks_take_the_place_of_the_ones_before_and_remember_since_when(city: Registry) -> None:
    for row in (check("twilio", Word.FINE), check("twilio", Word.FINE, 60), check("twilio", Word.FAULT, 120)):
        await city.write(partial(store.keep_checks, rows=[row]))
    await city.write(lambda conn: store.keep_checks(conn, [check("twilio", Word.FAULT, 180), check("sns", Word.FINE)]))
    sns, twilio = await city.read(store.checks)
    assert (sns.provider, twilio.checked_at, twilio.balance) == ("sns", NOW + timedelta(seconds=180), "100.00 USD")
    assert twilio.findings == (Found("credentials", "fault", "", NOW + timedelta(seconds=120)),)
    await city.write(lambda conn: store.forget_checks(conn, set(), [Channel.APP]))
    assert len(await city.read(store.checks)) == 2, "another process looks at those"
    await city.write(lambda conn: store.forget_checks(conn, {("twilio", "sms")}, [Channel.SMS]))
    assert [row.provider for row in await city.read(store.checks)] == ["twilio"]


def subscribe(conn: Connection, person_id: str, id_: str, carrier: str, **more: object) -> None:
    row = {"target": {}, "digest": id_, "label": f"label {id_}", "created_at": NOW}
    conn.execute(insert(subscriptions).values(id=id_, person_id=person_id, carrier=carrier, **(row | more)))


async def phones(city: Registry, person_id: str = "jia") -> dict[str, Phone]:
    """By subscription; the app's own stream is ''."""
    found = await city.read(lambda conn: store.phones_of(conn, [person_id]))
    return {phone.subscription_id or "": phone for phone in found.get(person_id, ())}


async def test_one_self_test_a_phone_and_day_whoever_sends_it_and_a_tap_ends_the_wait(city: Registry) -> None:
    begin = store.begin_self_test
    assert await city.write(lambda conn: begin(conn, "jia", STREAM, "2026-11-27", "t1", NOW))
    assert not await city.write(lambda conn: begin(conn, "jia", STREAM, "2026-11-27", "t2", NOW))
    assert await city.write(lambda conn: begin(conn, "jia", STREAM, "2026-11-28", "t3", NOW + DAY))
    await city.write(lambda conn: store.refuse_self_test(conn, "t1", "of another day"))
    phone = (await phones(city))[""]
    assert phone.refused == ""
    await city.write(lambda conn: store.refuse_self_test(conn, "t3", "user_unknown"))
    assert (await phones(city))[""].refused == "user_unknown"
    assert (phone.day, phone.sent_at, phone.untapped_since) == ("2026-11-28", NOW + DAY, NOW), "since the first one"
    assert not await city.write(lambda conn: store.tap_self_test(conn, "yi", "t3", NOW))
    assert not await city.write(lambda conn: store.tap_self_test(conn, "jia", "t1", NOW)), "of another day"
    assert await city.write(lambda conn: store.tap_self_test(conn, "jia", "t3", NOW + DAY + HOUR))
    phone = (await phones(city))[""]
    assert (phone.untapped_since, phone.tapped_at) == (None, NOW + DAY + HOUR)


async def test_each_phone_waits_and_is_tapped_by_itself(city: Registry) -> None:
    def furnish(conn: Connection) -> None:
        for id_, carrier in (("s1", "webpush"), ("s2", "webpush"), ("s3", "wecom")):
            subscribe(conn, "jia", id_, carrier)
            assert store.begin_self_test(conn, "jia", id_, "2026-11-27", f"t-{id_}", NOW)
        subscribe(conn, "jia", "s4", "webpush", gone_at=NOW)

    await city.write(furnish)
    assert await city.write(lambda conn: store.tap_self_test(conn, "jia", "t-s2", NOW + HOUR))
    found = await phones(city)
    assert set(found) == {"", "s1", "s2", "s3"}, "not what is gone"
    assert [(each.carrier, each.label) for each in found.values()] == [
        ("webpush", "label s1"),
        ("webpush", "label s2"),
        ("wecom", "label s3"),
        (STREAM, ""),
    ]
    assert {id_: phone.tapped_at for id_, phone in found.items() if phone.tapped_at} == {"s2": NOW + HOUR}
    assert {id_ for id_, phone in found.items() if phone.untapped_since} == {"s1", "s3"}
    rows = await city.read(lambda conn: subscriptions_store.of_person(conn, "jia"))
    assert {row.id: row.confirmed_at for row in rows if row.confirmed_at} == {"s2": NOW + HOUR}, "it works"

    asked = await city.read(lambda conn: store.asked_to_tap(conn, "t-s1"))
    assert asked is not None
    assert (asked.person_id, asked.language, asked.tapped) == ("jia", Language.ZH_CN, False)
    again = await city.read(lambda conn: store.asked_to_tap(conn, "t-s2"))
    assert again is not None
    assert again.tapped
    assert await city.read(lambda conn: store.asked_to_tap(conn, "nobody's")) is None

    await city.write(lambda conn: subscriptions_store.remove(conn, "jia", "s1"))
    await city.write(lambda conn: store.forget_phones(conn, ["jia"]))
    assert not await city.write(lambda conn: store.tap_self_test(conn, "jia", "t-s1", NOW + HOUR))
    assert await city.write(lambda conn: store.tap_self_test(conn, "jia", "t-s3", NOW + HOUR)), "the others stay"


async def test_no_phone_where_no_alarm_goes_to_an_app(city: Registry) -> None:
    def furnish(conn: Connection) -> None:
        people.insert_many(conn, [person("ding"), person("wu")])
        people.add_contacts(conn, [contact("c-wu", "wu", Channel.APP, opted_out_at=NOW)])
        for who in ("ding", "wu"):
            subscribe(conn, who, f"s-{who}", "webpush")

    await city.write(furnish)
    found = await city.read(lambda conn: store.phones_of(conn, ["ding", "jia", "wu"]))
    assert set(found) == {"jia"}
    assert await city.read(lambda conn: store.to_self_test(conn, NOW, 10)) == [("jia", Language.ZH_CN)]


async def test_who_gets_a_self_test(city: Registry) -> None:
    """Workers with an app, by day; not who is on leave or has left."""

    def furnish(conn: Connection) -> None:
        people.insert_many(conn, [person("bing", left_at=NOW), person("ding"), person("wu")])
        people.add_contacts(conn, [contact(f"c-{who}", who, Channel.APP) for who in ("bing", "ding")])
        leaves.insert_many(conn, [LeaveRow("l", "ding", Leave(NOW - HOUR, NOW + HOUR))])
        conn.execute(update(people_table).where(people_table.c.id == "jia").values(language="en"))

    await city.write(furnish)

    async def asked(hours: float = 0, after: str | None = None) -> list[tuple[str, Language]]:
        at = NOW + hours * HOUR
        return await city.read(lambda conn: store.to_self_test(conn, at, 10, after))

    assert await asked() == [("jia", Language.EN)]
    assert await asked(2) == [("ding", Language.ZH_CN), ("jia", Language.EN)]
    assert await asked(2, after="ding") == [("jia", Language.EN)]


NINE = datetime(2025, 11, 2, 9, 0, tzinfo=UTC)


async def test_each_phone_gets_its_own_message_over_its_own_carrier_once_a_day(city: Registry) -> None:
    """Whoever restarts after the hour sends nothing again; a phone that came meanwhile has its own."""
    clock = At(NINE)
    accounts = ("webpush", "wecom", "dingtalk")

    def planner(link: str = "https://gengfu.test/a/") -> SelfTests:
        settings = Settings(timezone="UTC")
        return SelfTests(
            city.database,
            clock,
            RandomIds(),
            settings,
            9,
            carriers=accounts,
            link=lambda test_id: link and link + test_id,
        )

    def furnish(conn: Connection) -> None:
        people.insert_many(conn, [person("ding")])
        people.add_contacts(conn, [contact("c-ding", "ding", Channel.APP)])
        for id_, carrier in (("s1", "webpush"), ("s2", "webpush"), ("s3", "wecom"), ("s4", "feishu")):
            subscribe(conn, "jia", id_, carrier)

    await city.write(furnish)
    assert await planner().run_due() == 4
    assert await planner().run_due() == 0
    rows = await sent(city)
    assert [(row.person_id, row.provider, row.subscription_id) for row in rows] == [
        ("ding", STREAM, None),
        ("jia", "webpush", "s1"),
        ("jia", "webpush", "s2"),
        ("jia", "wecom", "s3"),
    ], "none for a carrier without an account, none for the stream where there is more"
    assert len({row.id for row in rows}) == 4
    for row in rows:
        message = msgspec.json.decode(row.text)
        assert (message["test_id"], message["answer_url"]) == (row.id, f"https://gengfu.test/a/{row.id}")
        assert (message["purpose"], message["actions"]) == ("test", [])
        assert row.channel == "app"

    def later(conn: Connection) -> None:
        subscribe(conn, "jia", "s5", "webpush")
        subscribe(conn, "jia", "s6", "dingtalk")

    await city.write(later)
    assert await planner(link="").run_due() == 1, "without a link nobody could tap in a work app"
    clock.at += DAY
    assert await planner(link="").run_due() == 4
    assert {row.subscription_id for row in (await sent(city))[5:]} == {None, "s1", "s2", "s5"}


async def sent(city: Registry) -> list[Row[Any]]:
    query = select(probes).order_by(probes.c.created_at, probes.c.person_id, probes.c.subscription_id)
    return await city.read(lambda conn: list(conn.execute(query)))


class At(SystemClock):
    """A clock that stands."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at
