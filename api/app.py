"""Builds the HTTP application from its dependencies. No globals: two of them may live in one process."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.telemetry import TelemetryConfig
from starlette.middleware import Middleware
from starlette.routing import Route
from starlette.types import ASGIApp

from api import errors, openapi
from api.deps import Deps
from api.middleware import BodyLimit, RegistryGuard, SecurityHeaders
from api.permissions import PREFIX
from api.routes import (
    answer_page,
    api_keys,
    audit,
    callbacks,
    compounds,
    contact_card,
    contacts,
    cover,
    device_acts,
    device_commands,
    devices,
    drills,
    duty,
    duty_report,
    enrolments,
    flats,
    grids,
    health,
    household_verifications,
    households,
    imports,
    incident_acts,
    incidents,
    labels,
    leaves,
    maintenance_windows,
    models,
    notifications,
    organisations,
    overrides,
    patterns,
    photos,
    pictures,
    places,
    policies,
    policy_preview,
    quarantine,
    raising,
    readiness,
    sessions,
    shifts,
    stream,
    subscriptions,
    test_sessions,
    users,
    verifications,
    walk_tests,
    words,
    work_orders,
    workers,
)

_ROUTERS = (
    health.router,
    callbacks.router,
    answer_page.router,
    incidents.router,
    incident_acts.router,
    raising.router,
    photos.router,
    drills.router,
    notifications.router,
    stream.router,
    places.router,
    pictures.router,
    organisations.router,
    compounds.router,
    households.router,
    household_verifications.router,
    grids.router,
    workers.router,
    contacts.router,
    verifications.router,
    subscriptions.router,
    subscriptions.key_router,
    shifts.router,
    duty.router,
    cover.router,
    duty_report.router,
    readiness.router,
    contact_card.router,
    patterns.router,
    overrides.router,
    leaves.router,
    models.router,
    devices.router,
    walk_tests.router,
    test_sessions.router,
    enrolments.router,
    device_acts.router,
    device_commands.router,
    flats.router,
    labels.router,
    imports.router,
    quarantine.router,
    maintenance_windows.router,
    work_orders.router,
    policies.router,
    policy_preview.router,
    words.router,
    api_keys.router,
    users.router,
    sessions.router,
    audit.router,
)

secret_key_chars_min = 16
_no_telemetry: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False}
"""FastAPI's own would look for OpenTelemetry at every request and hand it whole addresses: those of callbacks hold
secrets. Our figures stand under `/metrics`."""


class _Application(FastAPI):
    """With the callbacks before all layers."""

    def build_middleware_stack(self) -> ASGIApp:
        return callbacks.Hot(super().build_middleware_stack())


def create_app(deps: Deps) -> FastAPI:
    """The application. ValueError when the deployment's secret key is missing or short: keys would be guessable."""
    if len(deps.secret_key) < secret_key_chars_min:
        raise ValueError(f"the secret key needs at least {secret_key_chars_min} characters (GENGFU_SECRET_KEY)")

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        deps.hub.close()
        await app.state.voice_answers.close()
        await deps.keys.close()
        await deps.sessions.close()

    app = _Application(
        title="Gengfu 更夫",
        version="1",
        openapi_url=f"{PREFIX}/openapi.json",
        docs_url=None,
        redoc_url=None,
        swagger_ui_oauth2_redirect_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
        telemetry=_no_telemetry,
        responses={"4XX": openapi.PROBLEM},
        middleware=[
            Middleware(SecurityHeaders),
            Middleware(BodyLimit),
            Middleware(RegistryGuard, desk=lambda: deps.imports),
        ],
    )
    app.state.deps = deps
    app.state.voice_answers = callbacks.VoiceAnswers()
    # This hot route stands first and outside FastAPI's validation; callbacks stand outside all layers.
    app.router.routes.insert(0, Route(notifications.RECEIVED_PATH, notifications.Received(), methods=["POST"]))
    for router in _ROUTERS:
        app.include_router(router)
    errors.install(app)
    openapi.install(app)
    return app
