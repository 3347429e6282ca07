"""Receipts that we asked for, as the callback inbox keeps them: words of our own, the same for every provider. Pure."""

from collections.abc import Mapping
from typing import Any

from alerting.core.outcomes import CallbackEvent, Receipt, ReceiptKind

POLLED = "polled"
"""The kind of their rows in the inbox."""


def stored(receipt: Receipt) -> dict[str, str]:
    return {"receipt": receipt.kind.value, "reference": receipt.provider_ref, "error": receipt.error}


def dedupe(receipt: Receipt) -> str:
    """The same for the same word told twice."""
    return f"{POLLED}|{receipt.attempt_id}|{receipt.kind.value}"


def read(attempt_id: str | None, form: Mapping[str, Any]) -> list[CallbackEvent]:
    """The receipt that was stored; [] for what is none."""
    try:
        kind = ReceiptKind(str(form.get("receipt")))
    except ValueError:
        return []
    if not attempt_id:
        return []
    return [Receipt(attempt_id, kind, str(form.get("reference", "")), str(form.get("error", "")))]
