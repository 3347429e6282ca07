"""Device receipts encoded as the contract says. Never decides who gets one, never confirms: a device that did not hear
its receipt repeats the event."""

from datetime import UTC

import msgspec

from alerting.verdicts import DeviceReceipt

_encode = msgspec.json.Encoder().encode


def encode_receipt(receipt: DeviceReceipt) -> bytes:
    """Compact JSON, either form of the contract; times in RFC 3339, UTC."""
    at = receipt.at.astimezone(UTC)
    if receipt.refused is None:
        return _encode({"event_id": receipt.event_id, "accepted_at": at})
    return _encode({"event_id": receipt.event_id, "refused": receipt.refused, "at": at})
