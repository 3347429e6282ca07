"""What became of a call: Alibaba's status codes as receipts. Pure; never says that a person took anything.

Source: "Call status codes" (200000-200121). Codes for calls between two phones are left out: we place none.
"""

from collections.abc import Mapping
from datetime import datetime

from alerting.channels.base import Receipt, ReceiptKind

status_key = "300000"
"""A key was pressed; it stands in `dtmf`."""

_talked = (ReceiptKind.ANSWERED, ReceiptKind.COMPLETED)
_ends: Mapping[str, tuple[tuple[ReceiptKind, ...], str]] = {
    "200000": (_talked, ""),
    "200001": (_talked, ""),
    "200008": (_talked, ""),  # nobody pressed a key in time
    "200100": (_talked, ""),
    "200002": ((ReceiptKind.BUSY,), ""),
    "200003": ((ReceiptKind.NO_ANSWER,), ""),
    "200004": ((ReceiptKind.FAILED,), "number_invalid"),
    "200005": ((ReceiptKind.NO_ANSWER,), "not_reachable"),
    "200006": ((ReceiptKind.FAILED,), "voice_file"),
    "200007": ((ReceiptKind.NO_ANSWER,), "not_in_service_area"),
    "200010": ((ReceiptKind.NO_ANSWER,), "phone_off"),
    "200011": ((ReceiptKind.FAILED,), "number_suspended"),
    "200104": ((ReceiptKind.FAILED,), "sender_barred"),
    "200105": ((ReceiptKind.FAILED,), "number_barred"),
    "200117": ((ReceiptKind.FAILED,), "sender"),
    "200118": ((ReceiptKind.FAILED,), "hours_restricted"),
    "200121": ((ReceiptKind.FAILED,), "too_many_calls"),
}
_under_way: Mapping[str, ReceiptKind] = {
    "200101": ReceiptKind.PROVIDER_ACCEPTED,  # being connected
    "200102": ReceiptKind.ANSWERED,
    "200103": ReceiptKind.ANSWERED,
}
_shown_digits_max = 8


def events(attempt_id: str, reference: str, status: str, final: bool, at: datetime | None) -> list[Receipt]:
    """final: the report at the call's end, in which a code that we do not know is a failure. A call in between whose
    code we do not know says nothing."""
    known = _ends.get(status)
    if known is not None:
        kinds, error = known
        return [Receipt(attempt_id, kind, reference, error, at) for kind in kinds]
    kind = _under_way.get(status)
    if kind is not None:
        return [Receipt(attempt_id, kind, reference, at=at)]
    if not final:
        return []
    word = f"status_{status[:_shown_digits_max]}" if status.isdecimal() else "status_unknown"
    return [Receipt(attempt_id, ReceiptKind.FAILED, reference, word, at)]
