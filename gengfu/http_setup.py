"""The HTTP side of one running Gengfu: what the API needs, and the server that answers. Holds no rule of its own."""

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import uvicorn

from alerting.channels.base import Callbacks
from alerting.channels.providers import TABLE as VENDORS
from alerting.channels.providers.twilio_settings import TwilioSettings
from alerting.channels.providers.webpush_settings import WebPushSettings
from alerting.core.canary import CANARY_DEVICE
from api.app import create_app
from api.auth import KeyRing, SessionRing
from api.deps import Deps
from api.logins import Logins
from api.twilio import TwilioCallbacks
from gengfu.broker.files import hash_secret
from gengfu.exposure import open_without_https
from gengfu.http_service import ServiceForHttp
from gengfu.listening import Server, backlog_connections, listen
from gengfu.vendors import carried

if TYPE_CHECKING:
    from gengfu.application import AppConfig, Application

stop_within_s = 4.0


class Http:
    """Listens when it is made; `run` answers until `stop`. `readiness`: what `Deps` gets from the readiness side."""

    def __init__(self, application: "Application", readiness: Mapping[str, Any]) -> None:
        config = application.config
        self._hub = application.hub
        self.keys = KeyRing(application.database, application.clock, config.secret_key)
        self._listening = listen(config.http_host, config.http_port)
        scheme = "https" if config.tls_cert else "http"
        self.url = f"{scheme}://{config.http_host}:{self._listening.getsockname()[1]}"
        self._server = Server(_uvicorn(config, _deps(application, self.keys, readiness)))

    async def run(self) -> None:
        await self._server.serve(sockets=[self._listening])

    async def stop(self, running: asyncio.Task[None]) -> None:
        """The live streams end; whoever is being answered gets that answer."""
        self._server.should_exit = True
        self._hub.close()
        await asyncio.wait({running}, timeout=stop_within_s)


def _deps(application: "Application", keys: KeyRing, readiness: Mapping[str, Any]) -> Deps:
    config, database, clock = application.config, application.database, application.clock
    return Deps(
        database=database,
        service=ServiceForHttp(application),
        hub=application.hub,
        clock=clock,
        ids=application.ids,
        keys=keys,
        sessions=SessionRing(database, clock, config.secret_key),
        logins=Logins(database, clock, config.secret_key),
        hash_credential=hash_secret,
        callbacks=_dialogues(config.vendors),
        vendor_callbacks=_callbacks(config.vendors),
        count_callback=application.metrics.callback,
        metrics=application.metrics.registry,
        secret_key=config.secret_key,
        imports=application.imports,
        **readiness,
        webpush=webpush if isinstance(webpush := config.vendors.get("webpush"), WebPushSettings) else None,
        push_seen=application.app_targets.confirmed,
        timezone=config.core.timezone,
        language=config.core.language,
        carried=carried(config.vendors),
        insecure=open_without_https(config.http_host, config.tls_cert, config.tls_key, config.trusted_proxies),
        accounts=config.other_accounts | {CANARY_DEVICE},
    )


def _dialogues(vendors: Mapping[str, object]) -> dict[str, TwilioCallbacks]:
    """Vendors that want an answer for the person on the line."""
    twilio = vendors.get("twilio")
    return {"twilio": TwilioCallbacks(twilio)} if isinstance(twilio, TwilioSettings) else {}


def _callbacks(vendors: Mapping[str, object]) -> dict[str, Callbacks]:
    reads = {name: vendor.callbacks for name, vendor in VENDORS.items() if name in vendors}
    return {name: made(vendors[name]) for name, made in reads.items() if made is not None}


def _uvicorn(config: "AppConfig", deps: Deps) -> uvicorn.Config:
    return uvicorn.Config(
        create_app(deps),
        log_config=None,
        access_log=False,
        http="httptools",
        ws="none",
        lifespan="on",
        timeout_graceful_shutdown=2,
        ssl_certfile=config.tls_cert,
        ssl_keyfile=config.tls_key,
        proxy_headers=bool(config.trusted_proxies),
        forwarded_allow_ips=list(config.trusted_proxies) or None,
        backlog=backlog_connections,
    )
