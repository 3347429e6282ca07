"""The broker's accounts that are no device's: no device may be called so. Asks no broker."""

from alerting.core.canary import CANARY_DEVICE
from gengfu.broker.files import SERVICE_USERNAME
from gengfu.settings_model import Settings


def other_accounts(settings: Settings) -> frozenset[str]:
    """The service's own, the canary's name and every source's."""
    own = {settings.broker.username} if settings.broker and settings.broker.username else set()
    return frozenset({SERVICE_USERNAME, CANARY_DEVICE, *own, *(source.account for source in settings.sources)})
