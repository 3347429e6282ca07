"""A private mosquitto for one test, with accounts that come and go; a real broker, never a stand-in."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gengfu.broker.child import MosquittoChild
from gengfu.broker.files import SERVICE_USERNAME, Account, SourceFilter, hash_password, render


@dataclass(frozen=True, slots=True)
class Login:
    """A broker account in plain words."""

    username: str
    secret: str

    @classmethod
    def fresh(cls, username: str) -> "Login":
        """A login with a new random secret."""
        return cls(username, secrets.token_urlsafe(16))

    @property
    def account(self) -> Account:
        """What the broker's files know of it."""
        return Account(self.username, hash_password(self.secret))


class BrokerUnderTest:
    """The running mosquitto of a test and the accounts it knows."""

    def __init__(self, child: MosquittoChild, service: Login) -> None:
        self.child = child
        self.service = service
        self.host = child.host
        self.port = child.port
        self._service_account = service.account
        self._devices: dict[str, Account] = {}
        self._sources: dict[str, Account] = {}
        self._filters: list[SourceFilter] = []

    @classmethod
    async def start(cls, directory: Path) -> "BrokerUnderTest":
        """Start in a folder of its own, knowing the service account only."""
        service = Login.fresh(SERVICE_USERNAME)
        return cls(await MosquittoChild.launch(directory, service=service.account), service)

    def url(self, login: Login | None = None) -> str:
        """`mqtt://name:secret@host:port` of the service, or of another login."""
        who = login or self.service
        return f"mqtt://{who.username}:{who.secret}@{self.host}:{self.port}"

    async def add_device(self, username: str) -> Login:
        """Enrol one device: it can connect as soon as this returns."""
        (login,) = await self.add_devices([username])
        return login

    async def add_devices(self, usernames: Sequence[str]) -> list[Login]:
        """Enrol several devices with one reload."""
        logins = [Login.fresh(username) for username in usernames]
        self._devices |= {login.username: login.account for login in logins}
        await self.reload()
        return logins

    async def remove_device(self, username: str) -> None:
        """Revoke one device: mosquitto cuts its live connection."""
        del self._devices[username]
        await self.reload()

    def forget(self, username: str) -> None:
        """Revoke one device in the files only: mosquitto has not read them yet."""
        del self._devices[username]
        self.render()

    def know(self, login: Login) -> None:
        """Enrol one device in the files only: mosquitto has not read them yet."""
        self._devices[login.username] = login.account
        self.render()

    async def add_source(self, username: str, topic_filters: Sequence[str]) -> Login:
        """Enrol the account of a foreign sender, which may use these topic filters."""
        login = Login.fresh(username)
        self._sources[username] = login.account
        self._filters += [SourceFilter(username, topic_filter) for topic_filter in topic_filters]
        await self.reload()
        return login

    async def reload(self) -> None:
        """Write the files again and have mosquitto read them."""
        self.render()
        await self.child.reload()

    def render(self, template: str | None = None) -> None:
        """Write the files again only; `template` replaces the shipped one."""
        render(
            self.child.directory,
            port=self.port,
            service=self._service_account,
            devices=self._devices.values(),
            sources=self._sources.values(),
            filters=self._filters,
            template=template,
            broker_user=self.child.user,
        )
