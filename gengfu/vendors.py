"""The carriers of one process, built from its vendors' accounts: who sends for which role. Holds no rule of its own."""

from collections.abc import Mapping
from zoneinfo import ZoneInfo

from alerting.carriers import AppTargets, Carriers, caps_of
from alerting.channels.app import AppChannel
from alerting.channels.base import ChannelProvider
from alerting.channels.providers import TABLE as VENDORS
from alerting.channels.unconfigured import Unconfigured
from alerting.core.routing import ORDERS, Orders
from alerting.stream import Hub
from devices.model import Channel
from gengfu.settings_model import Settings

PHONES = (Channel.SMS, Channel.VOICE)


def accounts_of(settings: Settings) -> dict[str, object]:
    """Every vendor account that is set: what its providers are built from, by the name of its table."""
    chosen = {name: getattr(settings, name) for name in VENDORS}
    return {name: each.settings(settings.callback_base) for name, each in chosen.items() if each is not None}


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


def carriers_by_channel(accounts: Mapping[str, object]) -> Mapping[Channel, Mapping[str, ChannelProvider]]:
    """Channel -> vendor -> its provider, whichever process of the deployment sends over it. Opens nothing."""
    found: dict[Channel, dict[str, ChannelProvider]] = {channel: {} for channel in Channel}
    for name, settings in accounts.items():
        for channel, provider in VENDORS[name].build(settings).items():
            found[channel][name] = provider
    return found


def carried(accounts: Mapping[str, object]) -> frozenset[Channel]:
    """What the deployment can send over: our own app always, the rest where a vendor has an account for it."""
    by_channel = carriers_by_channel(accounts)
    return frozenset({Channel.APP}) | {channel for channel, vendors in by_channel.items() if vendors}


def takes_replies(accounts: Mapping[str, object]) -> bool:
    """May a text ask for a reply? Only where each vendor that could carry it brings the reply back to us."""
    texts = carriers_by_channel(accounts)[Channel.SMS].values()
    return bool(texts) and all(caps_of(each).two_way for each in texts)
