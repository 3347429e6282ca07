"""The carriers of one process, built from its vendors' accounts: who sends for which role. Holds no rule of its own."""

from collections.abc import Mapping
from zoneinfo import ZoneInfo

from alerting.carriers import AppTargets, Carriers
from alerting.channels.app import AppChannel
from alerting.channels.base import ChannelProvider
from alerting.channels.providers import TABLE as VENDORS
from alerting.channels.unconfigured import Unconfigured
from alerting.core.routing import ORDERS, Orders
from alerting.stream import Hub
from devices.model import Channel

PHONES = (Channel.SMS, Channel.VOICE)


def build(
    accounts: Mapping[str, object],
    roles: frozenset[str],
    hub: Hub,
    *,
    targets: AppTargets,
    orders: Orders = ORDERS,
    zone: ZoneInfo | None = None,
) -> Carriers:
    """Texts and calls leave from the worker role, app messages from the API's, where the live streams end. `accounts`:
    settings by vendor; a vendor of both kinds is built once for each role."""
    wanted = {*(PHONES if "worker" in roles else ()), *((Channel.APP,) if "api" in roles else ())}
    found: dict[Channel, list[ChannelProvider]] = {channel: [] for channel in Channel if channel in wanted}
    if Channel.APP in found:
        found[Channel.APP].append(AppChannel(hub))
    readers: dict[str, ChannelProvider] = {}
    for name, settings in accounts.items():
        for channel, provider in VENDORS[name].build(settings).items():
            if channel in found:
                found[channel].append(provider)
            else:
                readers[name] = provider  # it opens nothing until it sends
    for channel in PHONES:
        if channel in found and not found[channel]:
            found[channel].append(Unconfigured(channel))
    return Carriers(found, orders=orders, zone=zone, targets=targets, readers=readers)
