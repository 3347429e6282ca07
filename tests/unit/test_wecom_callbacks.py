"""WeCom's callbacks: the vendor's published sample, a second hand's envelopes, and what must not be believed."""

import base64
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl

import pytest

from alerting.channels import buttons, flat_xml
from alerting.channels.base import CallbackRequest, KeyPress, Spoken
from alerting.channels.providers.wecom_callbacks import WecomCallbacks
from alerting.channels.providers.wecom_crypto import Envelope
from alerting.channels.providers.wecom_settings import WecomSettings
from simulators.wecom import events
from simulators.wecom.sealing import Seal
from tests.support import wecom as made_up

now = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
stamp = str(int(now.timestamp()))
settings = made_up.settings_for("http://127.0.0.1:9")
who, attempt = "GridWorkerJia", "A1B2C3D4E5F6G"

# Published by the vendor with its sample code and in "加解密方案说明".
sample = Envelope("QDG6eK", "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C", "wx5823bf96d3bd56c7")
sample_echo = "P9nAzCzyDtyTWESHep1vC5X9xho/qYX3Zpb4yKa9SKld1DsH3Iyt3tP3zNdtp+4RPcs8TgAE7OaBO+FZXvnaqQ=="
sample_event = (
    "RypEvHKD8QQKFhvQ6QleEB4J58tiPdvo+rtK1I9qca6aM/wvqnLSV5zEPeusUiX5L5X/0lWfrf0QADHHhGd3QczcdCUpj911L3vg3W/sYYvuJTs3"
    "TUUkSUXxaccAS0qhxchrRYt66wiSpGLYL42aM6A8dTT+6k4aSknmPj48kzJs8qLjvd4Xgpue06DOdnLxAUHzM6+kDZ+HMZfJYuR+LtwGc2hgf5gs"
    "ijff0ekUNXZiqATP7PF5mZxZ3Izoun1s4zG4LUMnvw2r+KqCKIw+3IQH03v+BCA9nMELNqbSf6tiWSrXJB3LAVGUcallcrw8V2t9EL4EhzJWrQUa"
    "x5wLVMNS0+rUPA3k22Ncx4XXZS9o0MBH27Bo6BpNelZpS+/uh9KsNlY6bHCmJU9p8g7m3fVKn28H3KDYA5Pl/T8Z1ptDAVe0lXdQ2YoyyH2uyPIG"
    "HBZZIs2pDBS8R07+qN+E7Q=="
)


def pressed_key(digit: str = "1", user: str = who) -> str:
    return buttons.key(made_up.encoding_aes_key, attempt, user, digit, "zh-CN")


def press(key: str, user: str = who, at: str = stamp, seal: Seal = made_up.seal) -> CallbackRequest:
    """A pressed button as WeCom posts it."""
    event = events.card_event(seal.corp_id, user, key, attempt, "code", int(stamp), made_up.agent_id)
    return request(events.signed(seal, event, at, made_up.agent_id))


def request(call: events.Call, method: str = "POST") -> CallbackRequest:
    query = dict(parse_qsl(call.query))
    return CallbackRequest(method, "events", f"/callbacks/wecom/events?{call.query}", query, {}, call.body)


def with_query(asked: CallbackRequest, **changed: str) -> CallbackRequest:
    query = {**asked.query, **changed}
    return CallbackRequest(asked.method, asked.kind, asked.path_and_query, query, {}, asked.body)


def told(form: Mapping[str, object], attempt_id: str | None = attempt) -> list[object]:
    return list(buttons.presses(made_up.encoding_aes_key, attempt_id, form))


def test_the_vendors_published_sample_opens() -> None:
    assert sample.signed("5c45ff5e21c57e6ad56bac8758b79b1d9ac89fd3", "1409659589", "263014780", sample_echo)
    assert sample.opened(sample_echo) == b"1616140317555161061"
    assert sample.signed("477715d11cdb4164915debcba66cb864d751f3e6", "1409659813", "1372623149", sample_event)
    fields = flat_xml.fields(sample.opened(sample_event))
    assert (fields["FromUserName"], fields["Content"], fields["AgentID"]) == ("mycreate", "hello", "218")


def test_another_hands_envelope_opens_and_ours_opens_there() -> None:
    ours = Envelope(made_up.token, made_up.encoding_aes_key, made_up.corp_id)
    for length in (0, 1, 11, 12, 13, 31, 32, 33, 1_000):
        message = b"x" * length
        assert ours.opened(made_up.seal.close(message)) == message
        sealed = ours.sealed(message, ours.salt("a"))
        assert made_up.seal.open(sealed) == message
        assert ours.signature("1", "2", sealed) == made_up.seal.sign("1", "2", sealed)
    assert ours.salt("a") != ours.salt("b")
    with pytest.raises(ValueError, match="16 bytes"):
        ours.sealed(b"x", b"short")


@pytest.mark.parametrize("sealed", ["", "not base64!", "AAAA", base64.b64encode(b"x" * 32).decode(), "键"])
def test_what_was_not_sealed_with_our_key_is_a_value_error(sealed: str) -> None:
    with pytest.raises(ValueError):
        Envelope(made_up.token, made_up.encoding_aes_key, made_up.corp_id).opened(sealed)


def test_the_address_check_is_answered_with_its_word() -> None:
    callbacks = WecomCallbacks(settings)
    asked = request(events.address_check(made_up.seal, "1616140317555161061", stamp), "GET")
    assert callbacks.verify(asked, now)
    assert callbacks.read(asked) == []
    assert callbacks.answer(asked) == Spoken("text/plain", "1616140317555161061")
    assert not callbacks.verify(with_query(asked, echostr="x" + asked.query["echostr"][1:]), now)


@pytest.mark.parametrize("digit", ["1", "2", "3"])
def test_a_pressed_button_is_stored_and_becomes_a_key(digit: str) -> None:
    callbacks = WecomCallbacks(settings)
    asked = press(pressed_key(digit))
    assert callbacks.verify(asked, now)
    (stored,) = callbacks.read(asked)
    assert (stored.kind, stored.attempt_id) == ("card", attempt)
    assert len(stored.dedupe) <= 128
    assert told(stored.form) == [KeyPress(attempt, digit)]


def test_the_answer_says_that_it_was_stored_and_not_that_he_goes() -> None:
    callbacks = WecomCallbacks(settings)
    answer = callbacks.answer(press(pressed_key("1")))
    assert answer is not None
    assert answer.media_type == "text/xml"
    assert events.replacement(made_up.seal, answer.body.encode()) == "已收到：出发"
    other = callbacks.answer(press(pressed_key("1"), user="SomebodyElse"))
    assert other == Spoken("text/plain", "success")


def test_a_user_id_in_other_letters_is_the_same_person() -> None:
    """WeCom does not mind the case of a user id: what was typed in the registry may differ from what it reports."""
    (stored,) = WecomCallbacks(settings).read(press(pressed_key("1", user="gridworkerjia")))
    assert told(stored.form) == [KeyPress(attempt, "1")]


def test_a_button_that_somebody_else_presses_says_nothing() -> None:
    (stored,) = WecomCallbacks(settings).read(press(pressed_key("1"), user="SomebodyElse"))
    assert told(stored.form) == []


def test_a_made_up_or_altered_key_says_nothing() -> None:
    callbacks = WecomCallbacks(settings)
    good = pressed_key("1")
    for key in (good.replace(".1.", ".2."), good[:-1] + ("A" if good[-1] != "A" else "B"), f"{attempt}.1.zh-CN."):
        assert [told(each.form) for each in callbacks.read(press(key))] in ([], [[]])
    (stored,) = callbacks.read(press(good))
    assert told(stored.form, "another-attempt") == []
    for form in ({}, {"key": 7, "user": who}, {"key": good, "user": None}):
        assert told(form) == []


def test_the_same_press_told_twice_has_one_name_and_a_second_press_another() -> None:
    callbacks = WecomCallbacks(settings)
    first, again = (callbacks.read(press(pressed_key("1")))[0].dedupe for _ in range(2))
    other = callbacks.read(press(pressed_key("2")))[0].dedupe
    assert first == again != other


def test_stale_callbacks_are_refused() -> None:
    callbacks = WecomCallbacks(settings)
    asked = press(pressed_key())
    assert callbacks.verify(asked, now + timedelta(minutes=59))
    for late in (timedelta(minutes=61), timedelta(days=1), -timedelta(minutes=61)):
        assert not callbacks.verify(asked, now + late)
    for timestamp in ("", "soon", "-1", "１２３", "9" * 400):
        assert not callbacks.verify(with_query(asked, timestamp=timestamp), now)


def test_forged_callbacks_are_refused() -> None:
    callbacks = WecomCallbacks(settings)
    asked = press(pressed_key())
    for name in ("msg_signature", "nonce", "timestamp"):
        changed = asked.query[name][:-1] + ("0" if asked.query[name][-1] != "0" else "1")
        assert not callbacks.verify(with_query(asked, **{name: changed}), now), name
    assert not callbacks.verify(press(pressed_key(), seal=Seal("other-token", made_up.encoding_aes_key, "x")), now)
    other_key = made_up.encoding_aes_key[::-1]
    assert not callbacks.verify(press(pressed_key(), seal=Seal(made_up.token, other_key, made_up.corp_id)), now)
    elsewhere = Seal(made_up.token, made_up.encoding_aes_key, "ww-another-company")
    assert not callbacks.verify(press(pressed_key(), seal=elsewhere), now)


def test_without_callback_secrets_nothing_is_believed() -> None:
    bare = WecomCallbacks(WecomSettings(corp_id=made_up.corp_id, agent_id=1, secret="x"))
    assert not bare.verify(press(pressed_key()), now)


def test_other_events_are_answered_and_say_nothing() -> None:
    callbacks = WecomCallbacks(settings)
    event = "<xml><MsgType><![CDATA[text]]></MsgType><Content><![CDATA[1]]></Content></xml>"
    asked = request(events.signed(made_up.seal, event, stamp, made_up.agent_id))
    assert callbacks.verify(asked, now)
    assert callbacks.read(asked) == []
    assert callbacks.answer(asked) == Spoken("text/plain", "success")


_bomb = (
    '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;">]>'
    "<xml><Encrypt>&c;</Encrypt></xml>"
)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"{}",
        b"\xff\xfe\x00",
        _bomb.encode(),
        b'<!DOCTYPE x SYSTEM "http://127.0.0.1/x"><xml><Encrypt>x</Encrypt></xml>',
        b"<xml><Encrypt>" + b"A" * 100_000 + b"</Encrypt></xml>",
        b"<a>" * 1_000,
        b"<xml>" + b"".join(b"<a%d/>" % n for n in range(1_000)) + b"</xml>",
        b"A" * 10_000_000,
    ],
    ids=["empty", "html", "json", "bytes", "entities", "outside", "long", "deep", "wide", "huge"],
)
def test_what_is_no_callback_is_refused(body: bytes) -> None:
    asked = press(pressed_key())
    spoilt = CallbackRequest("POST", "events", asked.path_and_query, asked.query, {}, body)
    assert not WecomCallbacks(settings).verify(spoilt, now)
    with pytest.raises(ValueError):
        WecomCallbacks(settings).read(spoilt)


@pytest.mark.parametrize(
    ("document", "why"),
    [
        (_bomb, "document type"),
        ('<!DOCTYPE x SYSTEM "http://127.0.0.1/x"><xml><A>x</A></xml>', "document type"),
        ("<!DOCTYPE xml><xml><A>x</A></xml>", "document type"),
        (f"<xml><A>{'x' * 70_000}</A></xml>", "too long"),
        ("<xml>" + "<a>" * 20 + "</a>" * 20 + "</xml>", "too deep"),
        ("<xml>" + "".join(f"<a{n}/>" for n in range(200)) + "</xml>", "too many"),
        ("<xml><A>x</A>", "no XML"),
    ],
)
def test_flat_xml_refuses_what_is_well_formed_and_yet_too_much(document: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        flat_xml.fields(document.encode())


def test_flat_xml_reads_fields_below_the_root_and_nothing_deeper() -> None:
    document = b"<xml><A><![CDATA[ 1 ]]></A><B>2 &amp; 3</B><C>x<D>4</D>y</C><A>5</A></xml>"
    assert flat_xml.fields(document) == {"A": "5", "B": "2 & 3", "C": "xy"}


def test_secrets_are_not_shown() -> None:
    shown = repr(settings)
    assert not any(kept in shown for kept in (made_up.secret, made_up.token, made_up.encoding_aes_key))
    with pytest.raises(ValueError, match="together"):
        WecomSettings(corp_id="x", agent_id=1, secret="x", token="x")
    with pytest.raises(ValueError, match="43"):
        WecomSettings(corp_id="x", agent_id=1, secret="x", token="x", encoding_aes_key="x")
