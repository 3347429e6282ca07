"""What every vendor emulator is made of: faults on demand, a ledger, callbacks, a port on loopback, a steering face.

Knows no vendor.
"""

from devices.model import Channel
from simulators.emulating.callbacks import CallbackLine, Poster
from simulators.emulating.faults import Fault, FaultBoard, FaultKind
from simulators.emulating.ledger import Ledger, LedgerRow, Outcome
from simulators.emulating.running import Background, Pace
from simulators.emulating.vendor import General, Order, Refused, Taken, VendorEmulator, json_response

__all__ = [
    "Background",
    "CallbackLine",
    "Channel",
    "Fault",
    "FaultBoard",
    "FaultKind",
    "General",
    "Ledger",
    "LedgerRow",
    "Order",
    "Outcome",
    "Pace",
    "Poster",
    "Refused",
    "Taken",
    "VendorEmulator",
    "json_response",
]
