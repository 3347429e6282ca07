"""Gives the embedded broker mosquitto's accounts and topic rights; loaded by amqtt, by name.

It is imported only where amqtt is installed, and never reads a file.
"""

from dataclasses import dataclass, field

from amqtt.contexts import Action, BaseContext
from amqtt.plugins.base import BaseAuthPlugin, BaseTopicPlugin
from amqtt.session import Session

from gengfu.broker.files import TOPIC_PREFIX, password_matches


class EmbeddedAccess(BaseAuthPlugin, BaseTopicPlugin):  # type: ignore[misc]  # amqtt has no types
    """Name and password at the door, then the rights that the rendered access list would give."""

    @dataclass
    class Config:
        """`accounts` maps names to hashes; EmbeddedBroker adds to it while the broker runs."""

        accounts: dict[str, str] = field(default_factory=dict)
        service: str = ""
        sources: list[str] = field(default_factory=list)
        filters: list[tuple[str, str]] = field(default_factory=list)

    def __init__(self, context: BaseContext) -> None:
        super().__init__(context)
        assert isinstance(context.config, EmbeddedAccess.Config)
        self._access = context.config

    async def authenticate(self, *, session: Session) -> bool | None:
        """True for a known name with its password; False for everybody else, anonymous included."""
        password_hash = self._access.accounts.get(session.username or "")
        if password_hash is None or session.password is None:
            return False
        return password_matches(session.password, password_hash)

    async def topic_filtering(
        self, *, session: Session | None = None, topic: str | None = None, action: Action | None = None
    ) -> bool | None:
        """Whether this login may publish to, subscribe to or receive from a topic or filter."""
        if session is None or session.username is None or topic is None or action is None:
            return False
        return any(_covers(granted, topic) for granted in self._granted(session.username, action))

    def _granted(self, username: str, action: Action) -> list[str]:
        if username == self._access.service:
            mine = [topic_filter for _, topic_filter in self._access.filters]
            return [f"{TOPIC_PREFIX}/#", "$SYS/#", *mine]
        if username in self._access.sources:
            return [topic_filter for owner, topic_filter in self._access.filters if owner == username]
        own = "up" if action == Action.PUBLISH else "down"
        return [f"{TOPIC_PREFIX}/{username}/{own}/#"]


def _covers(granted: str, wanted: str) -> bool:
    """Whether every topic that `wanted` (a topic or a filter) can mean is one that `granted` means."""
    levels, asked = granted.split("/"), wanted.split("/")
    for position, level in enumerate(levels):
        if level == "#":
            return True
        if position >= len(asked) or asked[position] == "#":
            return False
        if level not in ("+", asked[position]):
            return False
    return len(asked) == len(levels)
