"""What the API needs from outside, as contracts. Never an implementation."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Protocol

from fastapi import Depends, Request
from prometheus_client import CollectorRegistry

from alerting.core.acts import Done, KeyOutcome, Verb
from alerting.core.decisions import Refused
from alerting.core.model import Actor
from alerting.ports import Clock, Database, Ids
from alerting.stream import Hub
from api.auth import KeyRing


class AlertingService(Protocol):
    """The alerting service, as HTTP uses it."""

    async def act(self, incident_id: str, verb: Verb, actor: Actor, detail: dict[str, Any]) -> Done | Refused:
        """Carry out a person's act in one transaction. `Refused` changed nothing."""
        ...

    async def received(self, notification_id: str, person_id: str | None) -> bool:
        """A worker's own client has this app message. False: this person has no such notification."""
        ...

    async def take_callback(
        self, provider: str, kind: str, attempt_id: str | None, dedupe: str, form: dict[str, str]
    ) -> None:
        """Append a verified callback to the inbox; it is durable when this returns (under 200 ms)."""
        ...

    async def key_pressed(self, attempt_id: str, digits: str) -> KeyOutcome:
        """Decide on a pressed key. May take long; asking again with the same key is harmless."""
        ...

    async def ready(self) -> dict[str, bool | str]:
        """Each part (broker, database, provider): True when it works, else False or a sentence saying what is wrong."""
        ...

    def registry_changed(self) -> None:
        """The registry was written: refresh the emergency copy and the broker's files. Never blocks."""
        ...


@dataclass(frozen=True, slots=True)
class Spoken:
    """A document that answers a callback."""

    media_type: str
    body: str


class ProviderCallbacks(Protocol):
    """What HTTP needs to know of one provider's callbacks. `fields` are the query's and the posted ones together."""

    signature_header: str

    def verify(self, path_and_query: str, form: Mapping[str, str], signature: str) -> bool:
        """Was this request, as it came in, signed by the provider for our public address?"""
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


@dataclass(frozen=True, slots=True)
class Deps:
    """Everything `create_app` hands to its routes. `hash_credential`: a device's secret as the broker stores it."""

    database: Database
    service: AlertingService
    hub: Hub
    clock: Clock
    ids: Ids
    keys: KeyRing
    hash_credential: Callable[[str], str]
    callbacks: Mapping[str, ProviderCallbacks] = field(default_factory=dict)
    metrics: CollectorRegistry = field(default_factory=CollectorRegistry)
    secret_key: str = field(default="", repr=False)


async def deps_of(request: Request) -> Deps:
    """The dependencies of the application that serves this request."""
    deps: Deps = request.app.state.deps
    return deps


Use = Annotated[Deps, Depends(deps_of)]
