"""The broker's accounts that are no device's: no device may be called so. Asks no broker."""

from gengfu.broker.files import SERVICE_USERNAME
from gengfu.settings_model import Settings


def other_accounts(settings: Settings) -> frozenset[str]:
    """The service's own and every source's."""
    own = {settings.broker.username} if settings.broker and settings.broker.username else set()
    return frozenset({SERVICE_USERNAME, *own, *(source.account for source in settings.sources)})
