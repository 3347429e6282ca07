"""A Twilio account on a local port: messages, calls with TwiML, signed callbacks, faults on demand.

It never reaches beyond the machine it runs on, except to call the addresses it was given.

Point a client at it from the same process:

    async with TwilioEmulator(account_sid=sid, auth_token=token, clock=clock, time_scale=0) as emulator:
        client = Client(sid, token, http_client=AsyncTwilioHttpClient())   # the real `twilio` package
        client.api.base_url = emulator.base_url

or start `python -m simulators.twilio --port 0 --ledger ledger.jsonl`, which prints one JSON line
`{"base_url": ..., "account_sid": ..., "auth_token": ...}`, and steer it under `/_emulator/`
(`simulators.twilio.control`). Gengfu itself reads `GENGFU_TWILIO__BASE_URL`.
"""

from devices.model import Channel
from simulators.emulating.faults import Fault, FaultKind
from simulators.emulating.ledger import LedgerRow, Outcome
from simulators.phone import Answers, Behaviour, PhoneEvent, PhoneEventKind, SmsFate
from simulators.twilio.emulator import TwilioEmulator

__all__ = [
    "Answers",
    "Behaviour",
    "Channel",
    "Fault",
    "FaultKind",
    "LedgerRow",
    "Outcome",
    "PhoneEvent",
    "PhoneEventKind",
    "SmsFate",
    "TwilioEmulator",
]
