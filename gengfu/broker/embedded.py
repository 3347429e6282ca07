"""A broker in Python for `gengfu demo` where no mosquitto can be had; MQTT 3.1.1 on loopback only.

For demonstration only, never for `serve`: it loses QoS 1 messages for clients that are offline.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Self

from gengfu.broker.child import HOST, free_port
from gengfu.broker.errors import BrokerUnavailable
from gengfu.broker.files import Account, SourceFilter

if TYPE_CHECKING:
    from amqtt.broker import Broker

PROTOCOL_VERSION: Final = 4  # what MQTT 3.1.1 calls itself on the wire
_PLUGIN: Final = "gengfu.broker.embedded_plugin.EmbeddedAccess"


class EmbeddedBroker:
    """An amqtt broker in our own event loop, with the same accounts and topic rights as mosquitto.

    An async context manager. Entering raises BrokerUnavailable when amqtt is not installed or cannot listen.
    """

    host: Final = HOST

    def __init__(
        self,
        *,
        service: Account,
        devices: Iterable[Account] = (),
        sources: Iterable[Account] = (),
        filters: Sequence[SourceFilter] = (),
        port: int | None = None,
    ) -> None:
        self.port = free_port() if port is None else port
        self._ours = {account.username: account.password_hash for account in [service, *sources]}
        self._accounts = self._ours | {account.username: account.password_hash for account in devices}
        self._service = service.username
        self._sources = sorted(set(self._ours) - {service.username})
        self._filters = [(entry.username, entry.topic_filter) for entry in filters]
        self._broker: Broker | None = None

    @property
    def accounts(self) -> Mapping[str, str]:
        """Name and hash of everybody who may connect."""
        return self._accounts

    def add_device(self, account: Account) -> None:
        """Let one more device in, from now on; the same name again replaces its secret."""
        self._know(self._accounts | {account.username: account.password_hash})

    async def keep_devices(self, devices: Mapping[str, str]) -> None:
        """Let exactly these devices (name to hash) in from now on, and cut whoever may be here no more."""
        before = self._accounts
        self._know({**devices, **self._ours})
        changed = {name for name, hashed in before.items() if self._accounts.get(name) != hashed}
        if self._broker is None:
            return
        for session, handler in list(self._broker.sessions.values()):
            if session.username in changed:
                await handler.handle_connection_closed()

    def _know(self, accounts: dict[str, str]) -> None:
        self._accounts = accounts
        if self._broker is not None:
            # amqtt copies what a plugin is configured with.
            self._broker.plugins_manager.get_plugin("EmbeddedAccess").config.accounts = accounts

    async def __aenter__(self) -> Self:
        amqtt = _import_amqtt()
        access = {
            "accounts": self._accounts,
            "service": self._service,
            "sources": self._sources,
            "filters": self._filters,
        }
        config = {
            "listeners": {"default": {"type": "tcp", "bind": f"{self.host}:{self.port}"}},
            "plugins": {_PLUGIN: access},
        }
        broker: Broker = amqtt.Broker(config)
        try:
            await broker.start()
        except (OSError, amqtt.BrokerError) as failure:
            reason = failure.__cause__ or failure
            raise BrokerUnavailable(f"the embedded broker cannot listen on port {self.port}: {reason}") from failure
        self._broker = broker
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._broker is not None:
            broker, self._broker = self._broker, None
            await broker.shutdown()


def _import_amqtt() -> Any:
    try:
        import amqtt.broker
    except ImportError as missing:
        raise BrokerUnavailable(
            f"there is no embedded broker here ({missing.name} is missing): "
            "install mosquitto, or this project with its extra `embedded`"
        ) from missing
    return amqtt.broker


def describe() -> str:
    """The one line that `demo` prints when it falls back on this broker."""
    return "no mosquitto here: using the embedded broker, for demonstration only (it loses messages)"
