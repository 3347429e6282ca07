"""Registered templates: texts that a carrier approves, the same order of variables everywhere, hashes that tell."""

import re
from itertools import product

import pytest

from alerting.core.languages import PACKS
from alerting.core.templates import (
    TEMPLATES,
    Style,
    Wording,
    check_variables,
    document,
    filled,
    hash_of,
    of_document,
    order,
    registered,
    text_hash,
    variables_of,
)
from devices.model import Channel, Language

ZH, EN = Language.ZH_CN, Language.EN
EVERY = list(product(TEMPLATES, Language))
PAGE = Wording(
    "sms_page", {"what": "火警", "place": "金鼎小区3栋", "time": "03:12", "act": "接听来电按1", "code": "A7K2Q"}
)


def test_every_language_has_every_template_and_no_other() -> None:
    for pack in PACKS.values():
        assert set(pack.templates) == set(TEMPLATES)


@pytest.mark.parametrize(("name", "language"), EVERY)
def test_variables_stand_in_one_order_in_every_language(name: str, language: Language) -> None:
    assert variables_of(PACKS[language].templates[name]) == order(name)


@pytest.mark.parametrize(("name", "language"), EVERY)
def test_what_carriers_refuse_stands_in_no_text(name: str, language: Language) -> None:
    text = PACKS[language].templates[name]
    fixed = re.split(r"\{\w+\}", text)
    assert not re.search(r"[【】#$^\[\]]|https?|www|！！|!!|1[3-9][0-9]{9}|(?<!\{)(?:email|mobile|site)\b", text)
    assert len(text) <= 350
    assert all(re.search(r"\w", between) for between in fixed[1:-1]), "words between any two variables"
    assert re.search(r"\w", "".join(fixed)), "not of variables alone"
    if TEMPLATES[name].channel is Channel.VOICE:
        assert len(order(name)) <= 2, "shared voice numbers take no more"
        assert not re.search(r"[#/:%¥-]", "".join(fixed))


def test_a_code_says_what_it_is_and_takes_six_digits_alone() -> None:
    assert "验证码" in PACKS[ZH].templates["sms_code"]
    assert "code" in PACKS[EN].templates["sms_code"]
    assert TEMPLATES["sms_code"].limits == {"code": 6}


def test_each_vendor_writes_its_own_variables() -> None:
    assert registered("sms_page", ZH, Style.ALIYUN) == "${what}，位置${place}，时间${time}，请${act}。编号${code}"
    assert registered("sms_page", ZH, Style.TENCENT) == "{1}，位置{2}，时间{3}，请{4}。编号{5}"


def test_a_hash_tells_any_other_word_but_not_another_space_at_the_end() -> None:
    text = registered("sms_page", ZH, Style.ALIYUN)
    assert hash_of(f" {text}\n") == text_hash("sms_page", ZH, Style.ALIYUN)
    assert hash_of(text.replace("请", "")) != text_hash("sms_page", ZH, Style.ALIYUN)
    texts = {registered(name, language, style) for name, language in EVERY for style in Style}
    assert len({hash_of(each) for each in texts}) == len(texts)


def test_filled_is_what_the_person_reads() -> None:
    assert filled(PAGE, ZH) == "火警，位置金鼎小区3栋，时间03:12，请接听来电按1。编号A7K2Q"


@pytest.mark.parametrize(
    ("name", "value", "fault"),
    [
        ("place", "", "empty"),
        ("place", "长" * 36, "36 characters, at most 35"),
        ("place", "见 https://a.b/c", "refuses"),
        ("place", "机主13800138000", "refuses"),
        ("what", "【火警】", "refuses"),
        ("time", "03:12:09", "8 characters, at most 5"),
    ],
)
def test_what_a_carrier_would_refuse_is_named(name: str, value: str, fault: str) -> None:
    assert check_variables(PAGE) == ()
    (found,) = check_variables(Wording(PAGE.template, {**PAGE.variables, name: value}))
    assert name in found
    assert fault in found


def test_a_missing_variable_and_an_unknown_template_are_named() -> None:
    assert check_variables(Wording("sms_page", {"what": "火警"})) == ("sms_page takes what, place, time, act, code",)
    assert check_variables(Wording("sms_new", {})) == ("no template sms_new",)


def test_a_wording_comes_back_as_it_was_stored() -> None:
    assert of_document(document(PAGE)) == PAGE
    assert of_document(document(None)) is None
