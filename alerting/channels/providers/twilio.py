"""Twilio as a vendor: builds its SMS and voice providers over one shared client. Never opens a connection."""

from collections.abc import Mapping

from alerting.channels.base import ChannelProvider
from alerting.channels.providers.twilio_client import TwilioAccount
from alerting.channels.providers.twilio_settings import TwilioSettings
from alerting.channels.providers.twilio_sms import TwilioSms
from alerting.channels.providers.twilio_voice import TwilioVoice
from devices.model import Channel


def build(settings: TwilioSettings) -> Mapping[Channel, ChannelProvider]:
    """The channels that this account offers: a messaging service cannot call. Close every one of them."""
    account = TwilioAccount(settings)
    providers: dict[Channel, ChannelProvider] = {Channel.SMS: TwilioSms(account)}
    if not settings.from_number.startswith("MG"):
        providers[Channel.VOICE] = TwilioVoice(account)
    return providers
