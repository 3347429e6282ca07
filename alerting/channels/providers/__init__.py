"""Every vendor there is: its settings and what builds its providers. A new vendor is one file and one row here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from alerting.channels.base import Callbacks, ChannelProvider
from alerting.channels.providers import aliyun, dingtalk, feishu, sns, tencent, twilio, webpush, wecom
from alerting.channels.providers.aliyun_settings import AliyunSettings
from alerting.channels.providers.dingtalk_settings import DingtalkSettings
from alerting.channels.providers.feishu_settings import FeishuSettings
from alerting.channels.providers.sns_settings import SnsSettings
from alerting.channels.providers.tencent_settings import TencentSettings
from alerting.channels.providers.twilio_settings import TwilioSettings
from alerting.channels.providers.webpush_settings import WebPushSettings
from alerting.channels.providers.wecom_settings import WecomSettings
from devices.model import Channel


@dataclass(frozen=True, slots=True)
class Vendor:
    """`build` takes an instance of `settings` and opens nothing; the first request does, inside the running loop."""

    settings: type
    build: Callable[[Any], Mapping[Channel, ChannelProvider]]
    callbacks: Callable[[Any], Callbacks] | None = None
    """How its callbacks are read; None: it has none, or a dialogue."""
    dialogue: bool = False
    """Its callbacks want an answer for the person on the line: they have routes of their own in `api`."""
    receipts: bool = True
    """It tells what became of a message, as `Caps.receipts` of its providers says; here for who builds none."""

    @property
    def calls_back(self) -> bool:
        """Its servers must reach ours."""
        return self.dialogue or self.callbacks is not None


TABLE: Mapping[str, Vendor] = {
    "twilio": Vendor(settings=TwilioSettings, build=twilio.build, dialogue=True),
    "aliyun": Vendor(settings=AliyunSettings, build=aliyun.build, callbacks=aliyun.callbacks),
    "tencent": Vendor(settings=TencentSettings, build=tencent.build, callbacks=tencent.callbacks),
    "sns": Vendor(settings=SnsSettings, build=sns.build, receipts=False),
    "webpush": Vendor(settings=WebPushSettings, build=webpush.build),
    "wecom": Vendor(settings=WecomSettings, build=wecom.build, callbacks=wecom.callbacks, receipts=False),
    "dingtalk": Vendor(settings=DingtalkSettings, build=dingtalk.build),
    "feishu": Vendor(settings=FeishuSettings, build=feishu.build, callbacks=feishu.callbacks),
}
