"""The accounts of a broker that this program started itself. Never decides who may connect."""

from collections.abc import Iterable, Mapping

from gengfu.broker.child import MosquittoChild
from gengfu.broker.embedded import EmbeddedBroker
from gengfu.broker.files import Account, own_user, render
from gengfu.broker.replacing import only_writer


class ChildAccounts:
    """Those of a mosquitto child: written to its files, read again when we signal it.

    `guests` (name to hash) may connect although no registry knows them; it may grow while the broker runs.
    """

    def __init__(
        self, child: MosquittoChild, service: Account, guests: Mapping[str, str], template: str | None = None
    ) -> None:
        self._child = child
        self._service = service
        self._guests = guests
        self._template = template

    def write(self, devices: Iterable[tuple[str, str]]) -> bool:
        """See `gengfu.broker_follow.BrokerAccounts`."""
        with only_writer(self._child.directory):
            guests = [Account(*guest) for guest in list(self._guests.items())]
            taken = {self._service.username, *(guest.username for guest in guests)}
            files = render(
                self._child.directory,
                port=self._child.port,
                service=self._service,
                sources=guests,
                devices=(Account(id_, hashed) for id_, hashed in devices if id_ not in taken),
                template=self._template,
                broker_user=own_user(),
            )
        return files.changed

    async def reload(self) -> None:
        """Send it SIGHUP."""
        await self._child.reload()


class EmbeddedAccounts:
    """Those of an embedded broker: handed over in memory."""

    def __init__(self, broker: EmbeddedBroker, guests: Mapping[str, str]) -> None:
        self._broker = broker
        self._guests = guests
        self._devices: dict[str, str] = {}

    def write(self, devices: Iterable[tuple[str, str]]) -> bool:
        """See `gengfu.broker_follow.BrokerAccounts`."""
        before, self._devices = self._devices, {**dict(devices), **self._guests}
        return before != self._devices

    async def reload(self) -> None:
        """Let exactly these in from now on."""
        await self._broker.keep_devices(self._devices)
