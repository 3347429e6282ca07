"""Tencent Cloud as a vendor: builds its SMS and voice providers over one shared client. Never opens a connection."""

from collections.abc import Mapping

from alerting.channels.base import Callbacks, ChannelProvider
from alerting.channels.providers.tencent_callbacks import TencentCallbacks
from alerting.channels.providers.tencent_client import TencentAccount
from alerting.channels.providers.tencent_settings import TencentSettings
from alerting.channels.providers.tencent_sms import TencentSms
from alerting.channels.providers.tencent_voice import TencentVoice
from devices.model import Channel


def build(settings: TencentSettings) -> Mapping[Channel, ChannelProvider]:
    """The channels for which an application is set. Close every one of them."""
    account = TencentAccount(settings)
    providers: dict[Channel, ChannelProvider] = {}
    if settings.sms_app_id is not None:
        providers[Channel.SMS] = TencentSms(account)
    if settings.voice_app_id is not None:
        providers[Channel.VOICE] = TencentVoice(account)
    return providers


def callbacks(settings: TencentSettings) -> Callbacks:
    """How its callbacks are read."""
    return TencentCallbacks(settings)
