"""What a label's text says about a device: its IMEI, DevEUI or serial number, or our own code. Pure and total: any text
gives identities or a fault, never an exception.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from devices.labels import read_code
from devices.model import IdentityKind

label_chars_max = 512
identity_chars_max = 64
identities_of_a_kind_max = 2
"""A telephone with two cards has two IMEIs; more of them are the label of a whole box."""
IMEI_DIGITS = 15

_KEYED = re.compile(
    r"(?<![A-Za-z0-9])(imei\d?|dev[ _-]?eui|eui|s/?n|serial(?:[ _-]?(?:no|number))?)"
    r"[\"']?\s{0,3}[:=：]\s{0,3}[\"']?([A-Za-z0-9][A-Za-z0-9:._-]{0,80})",
    re.IGNORECASE,
)
_OWN = re.compile(r"https?://[^/\s]{1,255}/d/([^/?#\s]{1,32})/?", re.IGNORECASE)
_OWN_BARE = re.compile(r"[0-9A-Za-z]{4}-[0-9A-Za-z]{4}")
_LORA = re.compile(r"LW:D0:([0-9A-F]{16}):([0-9A-F]{16})(?::[0-9A-F]{8}((?::[A-Z0-9%$*+./-]+)*))?", re.IGNORECASE)
_SEPARATED = re.compile(r"[\s,;|\x1d]+")
_SERIAL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{3,63}")
_EUI = re.compile(r"[0-9A-F]{16}")
_CHINESE_IMSI = "460"


@dataclass(frozen=True, slots=True)
class Identity:
    """A name under which a sender knows the device; `dialect` "" where a label does not say."""

    kind: IdentityKind
    value: str
    dialect: str = ""


@dataclass(frozen=True, slots=True)
class IdentityFault:
    """Why a text is no identity: a code of the API's sentences, with what they name."""

    code: str
    names: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Scanned:
    """What a label said. `certain` False: a bare text that is a serial number only if somebody registered it."""

    identities: tuple[Identity, ...] = ()
    code: str | None = None
    """Our own label's."""
    certain: bool = True


def luhn_digit(digits: str) -> str:
    """The check digit behind these digits."""
    doubled = (2 * int(digit) if index % 2 == 0 else int(digit) for index, digit in enumerate(reversed(digits)))
    return str(-sum(number // 10 + number % 10 for number in doubled) % 10)


def normal(kind: IdentityKind, text: str) -> str | IdentityFault:
    """The identity as it is kept: separators gone from numbers, DevEUI in capitals, anything else as it is printed."""
    match kind:
        case IdentityKind.IMEI:
            return _imei(re.sub(r"[ ./-]", "", text.strip()))
        case IdentityKind.DEV_EUI:
            eui = re.sub(r"[ .:-]", "", text.strip()).upper()
            return eui if _EUI.fullmatch(eui) else IdentityFault("dev_eui")
        case IdentityKind.SERIAL | IdentityKind.OTHER:
            kept = text.strip()
            fits = 1 <= len(kept) <= identity_chars_max and kept.isprintable()
            return kept if fits else IdentityFault("identity_text", {"max": identity_chars_max})


def _imei(digits: str) -> str | IdentityFault:
    if len(digits) != IMEI_DIGITS or not (digits.isascii() and digits.isdigit()):
        return IdentityFault("imei_length", {"count": len(digits)})
    expected = luhn_digit(digits[:-1])
    if digits[-1] != expected:
        return IdentityFault("imei_check", {"value": digits, "digit": digits[-1], "expected": expected})
    return digits


def read_label(text: str) -> Scanned | IdentityFault:
    """What a scanned or typed label says; our own label first, then the makers' ways of writing it."""
    text = text.strip(" \t\r\n\0\x1d\x1e\x04\ufeff")
    if not text:
        return IdentityFault("label_empty")
    if len(text) > label_chars_max:
        return IdentityFault("label_long", {"max": label_chars_max})
    if (own := _OWN.fullmatch(text)) or _OWN_BARE.fullmatch(text):
        code = read_code(own[1] if own else text)
        return Scanned(code=code) if code else _own_fault(text, bool(own))
    if text[:3].upper() == "LW:":
        return _lora(text)
    if keyed := _KEYED.findall(text):
        return _together([(_kind_of(name), value) for name, value in keyed])
    return _bare(text)


def _own_fault(text: str, address: bool) -> Scanned | IdentityFault:
    """A grouped text that fails its check may still be some maker's serial number with a hyphen in it."""
    return IdentityFault("label_check") if address else Scanned((Identity(IdentityKind.SERIAL, text),), certain=False)


def _kind_of(name: str) -> IdentityKind:
    lowered = name.lower()
    if lowered.startswith("imei"):
        return IdentityKind.IMEI
    return IdentityKind.DEV_EUI if "eui" in lowered else IdentityKind.SERIAL


def _lora(text: str) -> Scanned | IdentityFault:
    """LoRa Alliance TR005: LW:D0:JoinEUI:DevEUI:ProfileID[:Oowner][:Sserial][:Pproprietary][:Cchecksum]."""
    found = _LORA.fullmatch(text)
    if found is None:
        return IdentityFault("label_lora")
    serials = [part[1:] for part in (found[3] or "").split(":") if part[:1].upper() == "S" and len(part) > 1]
    return _together([(IdentityKind.DEV_EUI, found[2]), *((IdentityKind.SERIAL, serial) for serial in serials[:1])])


def _bare(text: str) -> Scanned | IdentityFault:
    """Numbers without a name: IMEIs or DevEUIs among whatever else stands there; else maybe one serial number."""
    joined = re.sub(r"[ -]", "", text)
    if len(joined) == IMEI_DIGITS and joined.isascii() and joined.isdigit():
        return _together([(IdentityKind.IMEI, joined)])
    found: list[tuple[IdentityKind, str]] = []
    for part in _SEPARATED.split(text):
        eui = re.sub(r"[:-]", "", part).upper()
        if len(part) == IMEI_DIGITS and part.isascii() and part.isdigit() and not part.startswith(_CHINESE_IMSI):
            found.append((IdentityKind.IMEI, part))
        elif _EUI.fullmatch(eui) and not eui.isdigit():
            found.append((IdentityKind.DEV_EUI, eui))
    if found:
        return _together(found)
    if _SERIAL.fullmatch(text):
        return Scanned((Identity(IdentityKind.SERIAL, text),), read_code(text), certain=False)
    return IdentityFault("label_unknown")


def _together(found: list[tuple[IdentityKind, str]]) -> Scanned | IdentityFault:
    identities: list[Identity] = []
    for kind, text in found:
        value = normal(kind, text)
        if isinstance(value, IdentityFault):
            return value
        identity = Identity(kind, value)
        if identity not in identities:
            identities.append(identity)
    for kind in IdentityKind:
        if sum(identity.kind is kind for identity in identities) > identities_of_a_kind_max:
            return IdentityFault("label_many")
    return Scanned(tuple(identities))


def name_for(identity: Identity) -> str | None:
    """A device's own name made from its identity; None where no name can be made of it."""
    name = re.sub(r"[^A-Za-z0-9_-]", "-", identity.value) if identity.value.isascii() else ""
    return name if len(name) >= 4 else None
