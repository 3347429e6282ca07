"""An Alibaba Cloud account on a local port: both products, signatures, windows, receipts, keys, faults on demand.

    async with AliyunEmulator(access_key_id=..., access_key_secret=..., clock=clock, time_scale=0) as emulator:
        emulator.catalog.signs["阳光社区"] = Registered("")
        emulator.catalog.texts["SMS_1"] = Registered("${what}，位置${place}")

Gengfu reads `[aliyun] sms_base_url` and `voice_base_url`.
"""

from simulators.aliyun.catalog import Registered
from simulators.aliyun.emulator import AliyunEmulator
from simulators.aliyun.limits import Limit

__all__ = ["AliyunEmulator", "Limit", "Registered"]
