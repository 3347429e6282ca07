"""Tencent Cloud on a local port: SendSms and SendTtsVoice with their signatures, refusals, receipts and keys.

It never reaches beyond the machine it runs on, except to call the addresses it was given.

    async with TencentEmulator(clock=clock, account=account, time_scale=0) as emulator:
        settings = TencentSettings(..., sms_base_url=emulator.base_url, voice_base_url=emulator.base_url)

The real SDK is pointed at it by `HttpProfile(protocol="http", endpoint="127.0.0.1:PORT")`.
"""

from simulators.tencent.account import Account, Addresses, Sign, Template
from simulators.tencent.emulator import TencentEmulator
from simulators.tencent.windows import Windows

__all__ = ["Account", "Addresses", "Sign", "Template", "TencentEmulator", "Windows"]
