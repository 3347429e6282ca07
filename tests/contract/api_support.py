"""The API on a real server and a real database, with a recording service behind it; it holds no test."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import aiohttp
import uvicorn
from prometheus_client import CollectorRegistry, Counter
from sqlalchemy import Connection, insert

from alerting.answer_links import AnswerLinks
from alerting.channels.base import Stored
from alerting.channels.providers.twilio_settings import TwilioSettings
from alerting.commands import Commands
from alerting.core.acts import Done, KeyOutcome, Verb
from alerting.core.decisions import Refused
from alerting.core.model import Ack, Actor, Raised, Refusal, Settings, Work
from alerting.core.readiness import Configured
from alerting.deciding import Deciding
from alerting.drills import Drills
from alerting.link_answers import Choice, Sheet
from alerting.metrics import NoMetrics
from alerting.ports import Priority
from alerting.raising import Also, RaisedDone
from alerting.spool import NotKept
from alerting.store import tables as alerting_tables
from alerting.store.households import ResultRow
from alerting.stream import Hub
from alerting.writing import Outbox, Written
from api.app import create_app
from api.auth import KeyRing, SessionRing, hash_key, new_secret
from api.contact_card import ContactCard
from api.deps import Deps
from api.logins import Logins
from api.permissions import Role
from api.store import keys
from api.store.keys import ApiKey
from api.twilio import TwilioCallbacks
from devices.store import tables as registry
from gengfu.clock import RandomIds, SystemClock
from gengfu.database import RunningDatabase, open_database

SECRET_KEY = "a secret of the test, long enough"
TWILIO = TwilioSettings(
    account_sid="AC" + "1" * 32,
    auth_token="token-of-the-test",
    from_number="+15550100",
    public_url="https://gengfu.test",
)
NO_RETRY = aiohttp.ClientTimeout(total=20)


def incident_row(incident_id: str, now: datetime) -> dict[str, Any]:
    """An open fire."""
    return {
        "id": incident_id,
        "reference": RandomIds().reference(),
        "dedup_key": f"v1:fire:{incident_id}",
        "holds_key": True,
        "code": "fire.smoke",
        "cls": "A",
        "severity": 1,
        "condition": "active",
        "ack": "none",
        "work": "dispatched",
        "place_text": {"zh": "金鼎小区3栋", "en": "Jinding B3", "lat": 32.1, "lon": 114.0},
        "opened_at": now,
        "policy": {},
        "extent": {},
    }


@dataclass
class RecordingService:
    """Stands behind the API: writes down what it is asked, answers what it is told to."""

    refusal: Refused | None = None
    outcome: KeyOutcome = KeyOutcome.TAKEN
    slow_seconds: float = 0.0
    parts: dict[str, bool | str] = field(default_factory=lambda: {"broker": True, "database": True, "provider": True})
    pages: dict[str, str] = field(default_factory=dict)
    """Notification -> recipient."""
    acts: list[tuple[str, Verb, Actor, dict[str, Any]]] = field(default_factory=list)
    raised: list[tuple[str, str, Raised, Actor]] = field(default_factory=list)
    joins: str | None = None
    """The open incident that takes in what people raise."""
    callbacks: list[tuple[str, str, str | None, str, dict[str, Any]]] = field(default_factory=list)
    not_kept: bool = False
    """Nothing can keep a callback now."""
    keys: list[tuple[str, str]] = field(default_factory=list)
    confirmed: list[str] = field(default_factory=list)
    results: dict[str, ResultRow] = field(default_factory=dict)
    """Token -> what its household was told."""
    rated: list[tuple[str, bool]] = field(default_factory=list)
    sheets: dict[str, Sheet] = field(default_factory=dict)
    """Token -> what a worker's link shows."""
    tapped: list[tuple[str, Choice]] = field(default_factory=list)
    changes: int = 0
    wakes: int = 0
    checks: int = 0
    database: RunningDatabase | None = None
    written: list[Written] = field(default_factory=list)
    """What would have been done after the commit."""

    @property
    def commands(self) -> Commands:
        """The real thing, which no gateway empties."""
        assert self.database is not None
        return Commands(
            database=self.database,
            clock=SystemClock(),
            ids=RandomIds(),
            settings=Settings(),
            outbox=Outbox(0, {}),
            metrics=NoMetrics(),
            after=self.written.append,
        )

    @property
    def drills(self) -> Drills:
        """The real thing, whose messages nobody sends."""
        clock, settings = SystemClock(), Settings()
        return Drills(Deciding(clock, RandomIds(), settings, Outbox(0, {})), clock, settings, self.written.append)

    async def act(
        self,
        incident_id: str,
        verb: Verb,
        actor: Actor,
        detail: dict[str, Any],
        also: Callable[[Connection], None] | None = None,
    ) -> Done | Refused:
        self.acts.append((incident_id, verb, actor, detail))
        if self.refusal is None and also is not None and self.database is not None:
            await self.database.write(Priority.ACCEPTANCE, also)
        return self.refusal or Done(incident_id, Work.TAKEN, Ack.NONE)

    async def raise_incident(
        self, place_id: str, code: str, raised: Raised, actor: Actor, also: Also | None = None
    ) -> RaisedDone:
        """Opens one, or joins `joins`."""
        self.raised.append((place_id, code, raised, actor))
        assert self.database is not None
        done = RaisedDone(self.joins or RandomIds().uuid7(), self.joins is not None)
        told = {"raised_by": raised.by, "raised_via": raised.via.value, "place_id": place_id, "code": code}

        def work(conn: Connection) -> None:
            if not done.joined:
                row = incident_row(done.incident_id, SystemClock().now()) | told
                conn.execute(insert(alerting_tables.incidents).values(**row))
            if also is not None:
                also(conn, done)

        await self.database.write(Priority.ALARM, work)
        return done

    async def received(self, notification_id: str, person_id: str | None) -> bool:
        self.confirmed.append(notification_id)
        return self.pages.get(notification_id) == person_id

    async def take_callbacks(self, provider: str, words: Sequence[Stored]) -> None:
        if self.not_kept:
            raise NotKept("the test says so")
        for word in words:
            self.callbacks.append((provider, word.kind, word.attempt_id, word.dedupe, dict(word.form)))

    async def key_pressed(self, attempt_id: str, digits: str) -> KeyOutcome:
        self.keys.append((attempt_id, digits))
        await asyncio.sleep(self.slow_seconds)
        return self.outcome

    async def result_told(self, token: str) -> ResultRow | None:
        return self.results.get(token)

    async def rate_result(self, token: str, satisfied: bool) -> ResultRow | None:
        if token not in self.results:
            return None
        self.rated.append((token, satisfied))
        self.results[token] = replace(self.results[token], satisfied=satisfied)
        return self.results[token]

    async def link_shown(self, token: str) -> Sheet | None:
        return self.sheets.get(token)

    async def link_answered(self, token: str, choice: Choice) -> Sheet | None:
        if token in self.sheets:
            self.tapped.append((token, choice))
        return self.sheets.get(token)

    async def ready(self) -> dict[str, bool | str]:
        return self.parts

    def tell_senders(self, conn: Connection) -> None:
        return

    def wake(self) -> None:
        self.wakes += 1

    def registry_changed(self) -> None:
        self.changes += 1


@dataclass(frozen=True, slots=True)
class RecordingChecks:
    """Writes down that somebody wants the providers looked at."""

    service: RecordingService

    def tell(self, conn: Connection) -> None:
        return

    def wake(self) -> None:
        self.service.checks += 1


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole response."""

    status: int
    headers: Mapping[str, str]
    body: Any
    text: str


@dataclass
class Api:
    """The server under test and a client of it."""

    base_url: str
    session: aiohttp.ClientSession
    deps: Deps
    service: RecordingService
    database: RunningDatabase
    tokens: dict[Role, str] = field(default_factory=dict)

    async def key(self, role: Role, person_id: str | None = None, **options: Any) -> str:
        """A key of this role, made in the database as the command line makes it."""
        secret = new_secret()
        ids, now = self.deps.ids, self.deps.clock.now()
        key_id = ids.uuid7()
        row = ApiKey(key_id, f"{role}-{key_id}", role, hash_key(SECRET_KEY, secret), person_id, now, None, None, None)
        made = ApiKey(**({name: getattr(row, name) for name in row.__slots__} | options))
        await self.database.write(Priority.ADMINISTRATION, lambda conn: keys.add(conn, made))
        return secret

    async def token(self, role: Role) -> str:
        """One key per role, kept."""
        if role not in self.tokens:
            self.tokens[role] = await self.key(role, "nobody" if role is Role.GRID_WORKER else None)
        return self.tokens[role]

    async def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        role: Role | None = Role.ADMINISTRATOR,
        key: str | None = None,
        **headers: str,
    ) -> Answer:
        """One request; header names take underscores. `path` without a host; `/api/v1` is added where it is missing."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if key is not None:
            sent["Authorization"] = f"Bearer {key}"
        elif role is not None:
            sent["Authorization"] = f"Bearer {await self.token(role)}"
        url = self.base_url + (path if path.startswith(("/api/", "/callbacks/", "/healthz")) else f"/api/v1{path}")
        async with self.session.request(method, url, json=body, headers=sent) as response:
            text = await response.text()
            is_json = "json" in response.content_type
            return Answer(
                response.status, response.headers, await response.json(content_type=None) if is_json else None, text
            )

    async def insert(self, table: Any, **values: Any) -> None:
        """A row, as another part of the product would have written it."""
        await self.database.write(Priority.ADMINISTRATION, lambda conn: conn.execute(insert(table).values(**values)))

    async def person(self, code: str, name: str = "网格员甲") -> str:
        """A registered person's id."""
        person_id = self.deps.ids.uuid7()
        row = {"id": person_id, "kind": "worker", "code": code, "name": name, "name_en": "Grid worker A"}
        await self.insert(registry.people, **row, language="zh-CN")
        return person_id

    async def incident(self, **values: Any) -> str:
        """An open fire, newest last."""
        incident_id = self.deps.ids.uuid7()
        row = incident_row(incident_id, self.deps.clock.now())
        await self.insert(alerting_tables.incidents, **(row | values))
        return incident_id

    async def page(self, incident_id: str, person_id: str, **values: Any) -> str:
        """A notification of that incident to that person."""
        notification_id = self.deps.ids.uuid7()
        row: dict[str, Any] = {
            "id": notification_id,
            "incident_id": incident_id,
            "round": 0,
            "step": 0,
            "recipient_id": person_id,
            "channel": "sms",
            "purpose": "page",
            "address": "+8613800138000",
            "language": "zh-CN",
            "urgency": 0,
            "text": "火警",
            "state": "sending",
            "planned_at": self.deps.clock.now(),
        }
        await self.insert(alerting_tables.notifications, **(row | values))
        return notification_id

    async def entry(self, incident_id: str, kind: str = "opened") -> None:
        """A timeline entry."""
        row = {"incident_id": incident_id, "at": self.deps.clock.now(), "kind": kind, "reason": "first_signal"}
        await self.insert(alerting_tables.timeline, **row, actor="gengfu", data={})


def make_deps(database: RunningDatabase, service: RecordingService, clock: SystemClock) -> Deps:
    ids = RandomIds()
    metrics = CollectorRegistry()
    Counter("gengfu_notifications", "Notifications", registry=metrics).inc()
    return Deps(
        database=database,
        service=service,
        hub=Hub(ids.uuid7),
        clock=clock,
        ids=ids,
        keys=KeyRing(database, clock, SECRET_KEY),
        sessions=SessionRing(database, clock, SECRET_KEY),
        logins=Logins(database, clock, SECRET_KEY),
        hash_credential=lambda secret: f"hash of {secret}",
        callbacks={"twilio": TwilioCallbacks(TWILIO)},
        metrics=metrics,
        secret_key=SECRET_KEY,
        accounts=frozenset({"gengfu-service"}),
        readiness=Configured(white_lists=("aliyun",), work_apps=("wecom",), push=True),
        card=ContactCard(("+861012345678", "+861087654321", "10690000123")),
        links=AnswerLinks(SECRET_KEY, "https://gengfu.test"),
        checks=RecordingChecks(service),
    )


@asynccontextmanager
async def serving(deps: Deps) -> AsyncIterator[str]:
    """The application on a real server, on a free port; its address."""
    # With the protocol named, asyncio switches Nagle's algorithm off; else every answer waits 40 ms for an ACK.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    config = uvicorn.Config(create_app(deps), http="httptools", log_level="critical", access_log=False, log_config=None)
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        while not server.started:
            assert not running.done(), "the server did not start"
            await asyncio.sleep(0.005)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        deps.hub.close()
        server.should_exit = True
        await running
        listener.close()


@asynccontextmanager
async def running_api(url: str, clock: SystemClock | None = None) -> AsyncIterator[Api]:
    """Server and client over a migrated database, gone at the end. `clock`: one whose hands can be turned."""
    database = open_database(url, monotonic=SystemClock().monotonic)
    service = RecordingService(database=database)
    deps = make_deps(database, service, clock or SystemClock())
    async with serving(deps) as base_url, aiohttp.ClientSession(timeout=NO_RETRY) as session:
        yield Api(base_url, session, deps, service, database)
    await database.close()


LONG_AGO = timedelta(days=3)
NOT_VERIFIED = Refused(Refusal.NOT_VERIFIED)
