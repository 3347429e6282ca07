"""Every vendor there is: its settings and what builds its providers. A new vendor is one file and one row here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from alerting.channels.base import ChannelProvider
from alerting.channels.providers import twilio
from alerting.channels.providers.twilio_settings import TwilioSettings
from devices.model import Channel


@dataclass(frozen=True, slots=True)
class Vendor:
    """`build` takes an instance of `settings` and opens nothing; the first request does, inside the running loop."""

    settings: type
    build: Callable[[Any], Mapping[Channel, ChannelProvider]]


TABLE: Mapping[str, Vendor] = {
    "twilio": Vendor(settings=TwilioSettings, build=twilio.build),
}
