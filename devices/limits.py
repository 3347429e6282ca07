"""Bounds on what a sender may send, and JSON read within them. Never knows a dialect, never raises.

Source: the MQTT contract (64 KiB, depth 16, 200 keys, UTF-8, no NaN).
"""

import json
from dataclasses import dataclass
from typing import Any

import msgspec

from devices.signals import DecodeReason

payload_bytes_max = 64 * 1024
json_depth_max = 16
"""Objects and arrays inside one another; a flat object has depth 1."""
json_keys_max = 200
"""Keys of all objects of one message together."""
event_id_chars_max = 64
integer_abs_max = 2**63 - 1
"""What every database and every JSON reader of ours keeps exactly."""


@dataclass(frozen=True, slots=True)
class JsonFault:
    """Why a payload is not JSON that we take."""

    reason: DecodeReason
    detail: str


_decode_json = msgspec.json.Decoder().decode


def read_json(payload: bytes) -> Any | JsonFault:
    """The JSON value in `payload`, or the fault.

    Refused: bad UTF-8, a byte-order mark, NaN and Infinity, numbers out of range, lone surrogates, U+0000 in
    texts (PostgreSQL cannot store it), a key twice in one object, and what goes beyond depth or key count.
    """
    try:
        text = payload.decode("utf-8")
        value = _decode_json(payload)
    except UnicodeDecodeError as fault:
        return JsonFault(DecodeReason.NOT_UTF8, f"byte {fault.start} is not UTF-8")
    except msgspec.DecodeError as fault:
        return JsonFault(DecodeReason.NOT_JSON, str(fault) if payload else "empty payload")
    except RecursionError:
        return JsonFault(DecodeReason.TOO_DEEP, f"deeper than {json_depth_max} levels")
    if _is_suspicious(payload):
        fault_inside = _inspect(value)
        if fault_inside is not None:
            return fault_inside
    return _find_duplicate_key(text) or value


def _is_suspicious(payload: bytes) -> bool:
    """Cheap upper bounds: a message that stays below them cannot break a limit and is not walked through."""
    brackets = payload.count(b"{") + payload.count(b"[")
    return brackets > json_depth_max or payload.count(b":") > json_keys_max or b"\\u0000" in payload


def _inspect(value: object) -> JsonFault | None:
    """Walk one parsed value, without recursion, and name the first limit it breaks."""
    keys_seen = 0
    open_items: list[tuple[object, int]] = [(value, 0)]
    while open_items:
        item, depth = open_items.pop()
        if isinstance(item, str) and "\0" in item:
            return JsonFault(DecodeReason.WRONG_SHAPE, "a text holds U+0000")
        if not isinstance(item, dict | list):
            continue
        if depth == json_depth_max:
            return JsonFault(DecodeReason.TOO_DEEP, f"deeper than {json_depth_max} levels")
        children = list(item)
        if isinstance(item, dict):
            keys_seen += len(item)
            children += item.values()
        if keys_seen > json_keys_max:
            return JsonFault(DecodeReason.TOO_MANY_KEYS, f"more than {json_keys_max} keys")
        open_items.extend((child, depth + 1) for child in children)
    return None


class _DuplicateKeyError(Exception):
    pass


def _refuse_duplicates(pairs: list[tuple[str, Any]]) -> None:
    if len({key for key, _ in pairs}) != len(pairs):
        raise _DuplicateKeyError


_walk_pairs = json.JSONDecoder(object_pairs_hook=_refuse_duplicates).decode


def _find_duplicate_key(text: str) -> JsonFault | None:
    """msgspec keeps the last of two equal keys; only the standard library shows both."""
    try:
        _walk_pairs(text)
    except _DuplicateKeyError:
        return JsonFault(DecodeReason.WRONG_SHAPE, "a key stands twice in one object")
    except RecursionError:
        return JsonFault(DecodeReason.TOO_DEEP, f"deeper than {json_depth_max} levels")
    except ValueError as fault:
        return JsonFault(DecodeReason.NOT_JSON, str(fault))
    return None
