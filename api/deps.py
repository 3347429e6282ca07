"""What the API needs from outside, as contracts. Never an implementation."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Protocol

from fastapi import Depends, Request
from prometheus_client import CollectorRegistry
from sqlalchemy import Connection

from alerting.answer_links import AnswerLinks
from alerting.channels.base import Callbacks, Spoken, Stored
from alerting.channels.providers.webpush_settings import WebPushSettings
from alerting.commands import Commands
from alerting.core.acts import Done, KeyOutcome, Verb
from alerting.core.decisions import Refused
from alerting.core.model import Actor, Raised
from alerting.core.readiness import Configured
from alerting.drills import Drills
from alerting.link_answers import Choice, Sheet
from alerting.ports import Clock, Database, Ids
from alerting.raising import Also, RaisedDone
from alerting.store.households import ResultRow
from alerting.stream import Hub
from api.auth import KeyRing, SessionRing
from api.contact_card import ContactCard
from api.logins import Logins
from devices.model import Channel, Language
from devices.store.imports import Upload
from devices.store.scope import Scope as ScopeOfPlaces


class AlertingService(Protocol):
    """The alerting service, as HTTP uses it."""

    async def act(
        self,
        incident_id: str,
        verb: Verb,
        actor: Actor,
        detail: dict[str, Any],
        also: Callable[[Connection], None] | None = None,
    ) -> Done | Refused:
        """Carry out a person's act in one transaction. `Refused` changed nothing. `also` is written in the same
        transaction, when the act is carried out."""
        ...

    async def raise_incident(
        self, place_id: str, code: str, raised: Raised, actor: Actor, also: Also | None = None
    ) -> RaisedDone:
        """What a person tells us, as if a device had; committed when this returns, with what `also` writes."""
        ...

    async def received(self, notification_id: str, person_id: str | None) -> bool:
        """A worker's own client has this app message. False: this person has no such notification."""
        ...

    async def take_callbacks(self, provider: str, words: Sequence[Stored]) -> None:
        """Everything that one verified callback says goes into the inbox; it is durable when this returns (under
        200 ms). NotKept where nothing can keep it."""
        ...

    async def key_pressed(self, attempt_id: str, digits: str) -> KeyOutcome:
        """Decide on a pressed key. May take long; asking again with the same key is harmless."""
        ...

    async def result_told(self, token: str) -> ResultRow | None:
        """Which household was told of which result with this link's token; None: nobody, or it is over."""
        ...

    async def rate_result(self, token: str, satisfied: bool) -> ResultRow | None:
        """That household says whether it was satisfied; the last word counts. None as above."""
        ...

    async def link_shown(self, token: str) -> Sheet | None:
        """What a worker's link shows; None: nobody's, or over."""
        ...

    async def link_answered(self, token: str, choice: Choice) -> Sheet | None:
        """One tap on it, committed when this returns; None as above."""
        ...

    async def ready(self) -> dict[str, bool | str]:
        """Each part (broker, database, provider): True when it works, else False or a sentence saying what is wrong."""
        ...

    @property
    def commands(self) -> Commands:
        """Commands to devices."""
        ...

    @property
    def drills(self) -> Drills:
        """Exercises: functions for a transaction, and what follows its commit."""
        ...

    def tell_senders(self, conn: Connection) -> None:
        """Within the transaction that left a message of no incident: wake the processes that send when it commits."""
        ...

    def wake(self) -> None:
        """After that commit: look at once. Never blocks."""
        ...

    def registry_changed(self) -> None:
        """The registry was written: refresh the emergency copy and the broker's files. Never blocks."""
        ...


def _count_nothing(provider: str, outcome: str) -> None:
    return


class ProviderCallbacks(Protocol):
    """What HTTP needs to know of one provider's callbacks, when they are a dialogue: what a call says next depends on
    what was decided. `fields` are the query's and the posted ones together."""

    def verify(self, path_and_query: str, form: Mapping[str, str], headers: Mapping[str, str]) -> bool:
        """Was this request, as it came in, signed by the provider for our public address? `headers`: lower case."""
        ...

    def dedupe(self, kind: str, fields: Mapping[str, str]) -> str:
        """The same callback sent twice has the same key (at most 128 characters)."""
        ...

    def key(self, fields: Mapping[str, str]) -> str:
        """The key that must be decided on; "" where none was pressed or it changes nothing."""
        ...

    def after_key(self, fields: Mapping[str, str], script: str | None, outcome: KeyOutcome | None) -> Spoken:
        """What the call says next. `script`: the notification's call script (JSON), None when it cannot be had now;
        `outcome`: None where `key` gave ""."""
        ...

    def please_wait(self, fields: Mapping[str, str], script: str | None) -> Spoken:
        """Hold the line and come back with the key kept; after a few times, say that nothing was recorded."""
        ...

    def nothing_to_say(self, kind: str) -> Spoken | None:
        """The answer to a callback that wants none; None: 204 without a body."""
        ...


class ImportDesk(Protocol):
    """Imports and exports of the registry, carried out outside of the request."""

    folder: Path
    """Where an upload may lie until it has been read."""

    @property
    def closed(self) -> bool:
        """An import is being written: other changes of the registry must wait."""
        ...

    def writing(self) -> AbstractContextManager[None]:
        """Around a change of the registry; only while it is not `closed`."""
        ...

    async def begin(self, upload: Upload) -> str:
        """Start an import; its id. FileRefused when it cannot be started."""
        ...

    async def export(self, path: Path, language: Language, scope: ScopeOfPlaces) -> dict[str, int]:
        """Write the registry to a workbook; how many rows each sheet has."""
        ...


class ProviderChecks(Protocol):
    """Has some process of the deployment look at the providers' accounts."""

    def tell(self, conn: Connection) -> None:
        """Within the transaction that asks: wake the processes that look when it commits."""
        ...

    def wake(self) -> None:
        """After that commit: this process looks, if it is one that does. Instant."""
        ...


@dataclass(frozen=True, slots=True)
class Deps:
    """Everything `create_app` hands to its routes. `hash_credential`: a device's secret as the broker stores it.
    `insecure`: open to a network without HTTPS, so that nobody may sign in with a password."""

    database: Database
    service: AlertingService
    hub: Hub
    clock: Clock
    ids: Ids
    keys: KeyRing
    sessions: SessionRing
    logins: Logins
    hash_credential: Callable[[str], str]
    callbacks: Mapping[str, ProviderCallbacks] = field(default_factory=dict)
    """Of vendors that want an answer for the person on the line."""
    vendor_callbacks: Mapping[str, Callbacks] = field(default_factory=dict)
    """Of every other vendor, by its name."""
    count_callback: Callable[[str, str], None] = _count_nothing
    """(provider, what became of it): `gengfu_callbacks_total`."""
    metrics: CollectorRegistry = field(default_factory=CollectorRegistry)
    secret_key: str = field(default="", repr=False)
    carried: frozenset[Channel] = frozenset(Channel)
    """Channels for which some process of the deployment has a provider."""
    language: Language = Language.ZH_CN
    """Of the deployment: its map service."""
    timezone: str = "Asia/Shanghai"
    """Of the deployment: night rules and volunteers' hours are local."""
    insecure: bool = False
    imports: ImportDesk | None = None
    """None: this process takes no imports."""
    webpush: WebPushSettings | None = None
    """None: browsers cannot subscribe."""
    push_seen: Callable[[str, str], None] = lambda person_id, subscription_id: None
    """A person's client had a page through this subscription. Returns at once."""
    readiness: Configured = field(default_factory=Configured)
    """What workers are asked for."""
    budget: Callable[[Channel, str, datetime], tuple[tuple[str, int | None], ...] | None] = lambda *_: None
    """Carrier -> messages of life safety that it still takes for a number; None: not counted by this process."""
    card: ContactCard = field(default_factory=ContactCard)
    links: AnswerLinks = field(default_factory=lambda: AnswerLinks(""))
    """By which a self-test message is tapped without the app."""
    checks: ProviderChecks | None = None
    """None: nobody looks at the providers' accounts."""
    accounts: frozenset[str] = frozenset()
    """Broker accounts of the service and of foreign senders: no device may have such a name."""


async def deps_of(request: Request) -> Deps:
    """The dependencies of the application that serves this request."""
    deps: Deps = request.app.state.deps
    return deps


Use = Annotated[Deps, Depends(deps_of)]
