"""Labels as makers print them, IMEI check digits, and any text at all: identities or a named fault."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.identities import (
    Identity,
    IdentityFault,
    Scanned,
    label_chars_max,
    luhn_digit,
    name_for,
    normal,
    read_label,
)
from devices.labels import grouped, new_code
from devices.model import IdentityKind

IMEI, EUI, SERIAL = "861234567890127", "24E124136B012345", "6136B0123456"
OWN = new_code(b"\x01\x23\x45\x67\x89")
imei = Identity(IdentityKind.IMEI, IMEI)
dev_eui = Identity(IdentityKind.DEV_EUI, EUI)
serial = Identity(IdentityKind.SERIAL, SERIAL)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (IMEI, (imei,)),
        ("86 123456 789012 7", (imei,)),
        (f"  {IMEI}\r\n", (imei,)),
        (f"IMEI:{IMEI}", (imei,)),
        (f"IMEI={IMEI}", (imei,)),
        (f"IMEI：{IMEI}", (imei,)),
        (f"IMEI:{IMEI};SN:{SERIAL};", (imei, serial)),
        (f"SN:{SERIAL}\nIMEI:{IMEI}\nIMSI:460040123456789", (serial, imei)),
        (f'{{"imei": "{IMEI}", "sn": "{SERIAL}"}}', (imei, serial)),
        (f"{IMEI},460040123456789,89860412345678901234", (imei,)),
        (f"https://maker.example/scan?imei={IMEI}&sn={SERIAL}", (imei, serial)),
        (f"http://maker.example/x?devEui={EUI.lower()}", (dev_eui,)),
        (f"SN: {SERIAL}\nDevEUI: {EUI}", (serial, dev_eui)),
        (f"EUI={EUI}", (dev_eui,)),
        (EUI, (dev_eui,)),
        ("24-e1-24-13-6b-01-23-45", (dev_eui,)),
        ("DEV EUI: 24:E1:24:13:6B:01:23:45", (dev_eui,)),
        (f"LW:D0:24E124C0002A0001:{EUI}:00000000", (dev_eui,)),
        (f"LW:D0:24E124C0002A0001:{EUI}:AABB1122:O0123:S{SERIAL}:PFOOBAR:CAF2C", (dev_eui, serial)),
    ],
)
def test_makers_labels(text: str, expected: tuple[Identity, ...]) -> None:
    assert read_label(text) == Scanned(expected)


@pytest.mark.parametrize(
    "text", [f"https://gengfu.example/d/{OWN}", f"HTTP://10.0.0.1:8000/D/{grouped(OWN).lower()}/", grouped(OWN)]
)
def test_our_own_label(text: str) -> None:
    assert read_label(text) == Scanned(code=OWN)


def test_a_bare_code_may_also_be_a_serial_number() -> None:
    assert read_label(OWN) == Scanned((Identity(IdentityKind.SERIAL, OWN),), OWN, certain=False)
    assert read_label("ABCD-0001") == Scanned((Identity(IdentityKind.SERIAL, "ABCD-0001"),), certain=False)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "label_empty"),
        (" \n", "label_empty"),
        ("x" * (label_chars_max + 1), "label_long"),
        ("861234567890125", "imei_check"),
        ("IMEI:861234567890125", "imei_check"),
        ("IMEI:86123456789012", "imei_length"),
        ("devEui=24E124", "dev_eui"),
        ("LW:D0:nonsense", "label_lora"),
        ("https://gengfu.example/d/AAAAAAAA", "label_check"),
        ("这是一张贴纸", "label_unknown"),
        ("https://maker.example/manual", "label_unknown"),
        ("IMEI:" + ";IMEI:".join(n + luhn_digit(n) for n in ("86123456789010", "86123456789011", "86123456789012")),
         "label_many"),
    ],
)  # fmt: skip
def test_what_a_label_cannot_be(text: str, code: str) -> None:
    fault = read_label(text)
    assert isinstance(fault, IdentityFault)
    assert fault.code == code


def test_a_wrong_check_digit_is_named() -> None:
    assert read_label("861234567890125") == IdentityFault(
        "imei_check", {"value": "861234567890125", "digit": "5", "expected": "7"}
    )


@given(st.text(alphabet="0123456789", min_size=14, max_size=14), st.integers(0, 14), st.integers(1, 9))
def test_luhn_finds_every_wrong_digit(body: str, place: int, by: int) -> None:
    whole = body + luhn_digit(body)
    assert normal(IdentityKind.IMEI, whole) == whole
    wrong = whole[:place] + str((int(whole[place]) + by) % 10) + whole[place + 1 :]
    assert isinstance(normal(IdentityKind.IMEI, wrong), IdentityFault)


def test_luhn_against_numbers_of_the_standard() -> None:
    assert [luhn_digit(digits) for digits in ("7992739871", "49015420323751")] == ["3", "8"]


LIKELY = st.lists(
    st.one_of(
        st.sampled_from(
            ["IMEI", "SN", "devEui", "LW:D0", ":", "=", ";", "\n", "https://a/d/", "?imei=", "&", IMEI, EUI]
        ),
        st.text(max_size=12),
        st.text(alphabet="0123456789ABCDEFabcdef:-", max_size=20),
    ),
    max_size=12,
).map("".join)


@given(st.one_of(st.text(max_size=600), LIKELY))
def test_any_text_is_identities_or_a_fault(text: str) -> None:
    found = read_label(text)
    if isinstance(found, IdentityFault):
        return
    assert found.identities or found.code
    for identity in found.identities:
        assert normal(identity.kind, identity.value) == identity.value
        name = name_for(identity)
        assert name is None or (4 <= len(name) <= 64 and name.isascii())


@given(st.sampled_from(IdentityKind), st.text(max_size=80))
def test_any_value_is_kept_in_one_spelling_or_refused(kind: IdentityKind, text: str) -> None:
    value = normal(kind, text)
    assert isinstance(value, IdentityFault) or normal(kind, value) == value
