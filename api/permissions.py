"""Who may call what: the one table of routes and roles. A route that is not in it cannot be built."""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What a key or a login may do. Not `devices.model.Role`, which is a step of the escalation."""

    ADMINISTRATOR = "administrator"
    ROSTER_PLANNER = "roster_planner"
    INSTALLER = "installer"
    OPERATOR = "operator"
    SUPERVISOR = "supervisor"
    GRID_WORKER = "grid_worker"
    AUDITOR = "auditor"
    VIEWER = "viewer"


@dataclass(frozen=True, slots=True)
class Grant:
    """A role below one node of the place tree; without a place, everywhere."""

    role: Role
    place_id: str | None = None


PREFIX = "/api/v1"

OPEN: frozenset[str] = frozenset(
    {
        "GET /healthz",
        "GET /readyz",
        "GET /metrics",
        f"GET {PREFIX}/openapi.json",
        "GET /callbacks/{provider}/{kind}",  # the provider's signature is its key
        "POST /callbacks/{provider}/{kind}",
        "GET /a/{token}",  # the link's signed token is its key, and a look answers nothing
        "POST /a/{token}",
        f"POST {PREFIX}/sessions",  # the password is its key
    }
)
"""Routes without a key."""

_ADMIN = frozenset({Role.ADMINISTRATOR})
_STAFF = frozenset(Role) - {Role.GRID_WORKER}
"""Everybody who sits at a desk may read the registry."""
_ROOM = frozenset({Role.ADMINISTRATOR, Role.SUPERVISOR, Role.OPERATOR})
"""The control room: it acts on incidents."""
_CHIEFS = frozenset({Role.ADMINISTRATOR, Role.SUPERVISOR})
"""They have people exercised."""
_FIELD = _ROOM | {Role.GRID_WORKER}
"""A worker's key is further limited to the incidents it was paged for."""
_PEOPLE = frozenset({Role.ADMINISTRATOR, Role.ROSTER_PLANNER})
_PLACES = frozenset({Role.ADMINISTRATOR, Role.ROSTER_PLANNER, Role.INSTALLER})
_DEVICES = frozenset({Role.ADMINISTRATOR, Role.INSTALLER})
_ROSTER_READERS = _STAFF - {Role.INSTALLER}
_ALL = frozenset(Role)


def _registry(noun: str, read: frozenset[Role], write: frozenset[Role]) -> dict[str, frozenset[Role]]:
    base = f"{PREFIX}/{noun}"
    one = f"{base}/{{id}}"
    return {
        f"GET {base}": read,
        f"POST {base}": write,
        f"GET {one}": read,
        f"PUT {one}": write,
        f"PATCH {one}": write,
    }


ROUTES: dict[str, frozenset[Role]] = {
    **_registry("places", _STAFF, _PLACES),
    f"DELETE {PREFIX}/places/{{id}}": _PLACES,
    f"GET {PREFIX}/places/{{id}}/gaps": _STAFF,
    f"GET {PREFIX}/places/{{id}}/pictures/{{kind}}": _STAFF,
    f"PUT {PREFIX}/places/{{id}}/pictures/{{kind}}": _PLACES,
    f"DELETE {PREFIX}/places/{{id}}/pictures/{{kind}}": _PLACES,
    **_registry("organisations", _STAFF, _PEOPLE),
    f"DELETE {PREFIX}/organisations/{{id}}": _PEOPLE,
    f"GET {PREFIX}/compounds": _STAFF,
    f"GET {PREFIX}/compounds/{{id}}": _STAFF,
    f"PUT {PREFIX}/compounds/{{id}}": _PEOPLE,
    f"PATCH {PREFIX}/compounds/{{id}}": _PEOPLE,
    **_registry("grids", _STAFF, _PEOPLE),
    **_registry("workers", _ROSTER_READERS, _PEOPLE),
    f"GET {PREFIX}/workers/{{id}}/contacts": _ROSTER_READERS,
    f"POST {PREFIX}/workers/{{id}}/contacts": _PEOPLE,
    f"DELETE {PREFIX}/workers/{{id}}/contacts/{{contact_id}}": _PEOPLE,
    f"POST {PREFIX}/workers/{{id}}/contacts/{{contact_id}}/opt-out": _PEOPLE,
    f"POST {PREFIX}/workers/{{id}}/contacts/{{contact_id}}/opt-in": _PEOPLE,
    f"POST {PREFIX}/workers/{{id}}/contacts/{{contact_id}}/reveal": _ROOM,
    f"POST {PREFIX}/workers/{{id}}/contacts/{{contact_id}}/verification": _PEOPLE | {Role.GRID_WORKER},
    f"GET {PREFIX}/workers/{{id}}/contacts/{{contact_id}}/verification": _ROSTER_READERS | {Role.GRID_WORKER},
    f"POST {PREFIX}/workers/{{id}}/contacts/{{contact_id}}/verification/confirm": _PEOPLE | {Role.GRID_WORKER},
    f"GET {PREFIX}/workers/{{id}}/subscriptions": _ROSTER_READERS | {Role.GRID_WORKER},  # a worker: his own
    f"POST {PREFIX}/workers/{{id}}/subscriptions": _PEOPLE | {Role.GRID_WORKER},
    f"DELETE {PREFIX}/workers/{{id}}/subscriptions/{{subscription_id}}": _PEOPLE | {Role.GRID_WORKER},
    f"GET {PREFIX}/webpush/key": _ALL,
    f"POST {PREFIX}/workers/{{id}}/contacts/{{contact_id}}/white-list": _PEOPLE,
    f"GET {PREFIX}/readiness/workers": _ROSTER_READERS,
    f"GET {PREFIX}/readiness/workers/{{id}}": _ROSTER_READERS,
    f"GET {PREFIX}/readiness/me": _ALL,  # whoever may be called, about himself alone
    f"POST {PREFIX}/readiness/me/contact-card": _ALL,
    f"POST {PREFIX}/readiness/me/phone-guide": _ALL,
    f"POST {PREFIX}/readiness/me/self-test": _ALL,
    f"GET {PREFIX}/readiness/providers": _ROSTER_READERS,
    f"POST {PREFIX}/readiness/providers/check": _ADMIN,
    f"GET {PREFIX}/contact-card.vcf": _ALL,
    f"GET {PREFIX}/contact-card.svg": _ALL,
    f"GET {PREFIX}/phone-guides": _ALL,
    f"GET {PREFIX}/households": _PLACES | {Role.AUDITOR},
    f"POST {PREFIX}/households": _PLACES,
    f"GET {PREFIX}/households/{{id}}": _PLACES,
    f"PUT {PREFIX}/households/{{id}}": _PLACES,
    f"DELETE {PREFIX}/households/{{id}}": _PLACES,
    f"POST {PREFIX}/households/{{id}}/consent": _PLACES,
    f"POST {PREFIX}/households/{{id}}/verification": _PLACES,
    f"GET {PREFIX}/households/{{id}}/verification": _PLACES,
    f"GET {PREFIX}/incidents/{{id}}/households": _FIELD,
    **_registry("shifts", _ROSTER_READERS, _PEOPLE),
    f"DELETE {PREFIX}/shifts/{{id}}": _PEOPLE,
    **_registry("patterns", _ROSTER_READERS, _PEOPLE),
    f"DELETE {PREFIX}/patterns/{{id}}": _PEOPLE,
    **_registry("overrides", _ROSTER_READERS, _PEOPLE),
    f"DELETE {PREFIX}/overrides/{{id}}": _PEOPLE | {Role.GRID_WORKER},  # a worker: his own cover only
    **_registry("leaves", _ROSTER_READERS, _PEOPLE),
    f"DELETE {PREFIX}/leaves/{{id}}": _PEOPLE,
    f"GET {PREFIX}/duty": _ROSTER_READERS,
    f"POST {PREFIX}/duty/cover": _PEOPLE | {Role.GRID_WORKER},  # a worker: for himself, in a grid he may help
    f"GET {PREFIX}/reports/duty": _ROSTER_READERS,
    **_registry("devices", _STAFF, _DEVICES),
    f"POST {PREFIX}/devices/{{id}}/credential": _DEVICES,
    f"POST {PREFIX}/devices/{{id}}/credential/revoke": _DEVICES,
    f"GET {PREFIX}/devices/{{id}}/placements": _STAFF,
    f"POST {PREFIX}/devices/{{id}}/out-of-service": _DEVICES,
    f"POST {PREFIX}/devices/{{id}}/in-service": _DEVICES,
    f"POST {PREFIX}/devices/{{id}}/remove": _DEVICES,
    f"POST {PREFIX}/devices/{{id}}/replace": _DEVICES,
    f"POST {PREFIX}/devices/{{id}}/walk-test": _DEVICES,
    f"GET {PREFIX}/devices/{{id}}/walk-test": _STAFF,
    f"DELETE {PREFIX}/devices/{{id}}/walk-test": _DEVICES,
    f"GET {PREFIX}/devices/{{id}}/walk-test/events": _STAFF,
    f"GET {PREFIX}/devices/{{id}}/actions": _STAFF,
    f"PUT {PREFIX}/devices/{{id}}/actions": _ADMIN,  # what a machine may be made to do, an administrator answers for
    f"POST {PREFIX}/devices/{{id}}/commands": _ROOM,
    f"GET {PREFIX}/commands": _STAFF,
    f"GET {PREFIX}/commands/{{id}}": _STAFF,
    f"POST {PREFIX}/test-sessions": _DEVICES,
    f"GET {PREFIX}/test-sessions": _STAFF,
    f"GET {PREFIX}/test-sessions/{{id}}": _STAFF,
    f"POST {PREFIX}/test-sessions/{{id}}/end": _DEVICES,
    **_registry("models", _STAFF, _DEVICES),
    f"POST {PREFIX}/enrolments": _DEVICES,
    f"POST {PREFIX}/box-lists": _DEVICES,
    f"GET {PREFIX}/flats": _STAFF,
    f"GET {PREFIX}/flats/{{id}}": _STAFF,
    f"PUT {PREFIX}/flats/{{id}}": _DEVICES,
    f"GET {PREFIX}/labels": _STAFF,
    f"POST {PREFIX}/labels": _DEVICES,
    f"GET {PREFIX}/incidents": _ALL - {Role.INSTALLER},
    f"GET {PREFIX}/incidents/{{id}}": _ALL - {Role.INSTALLER},
    f"GET {PREFIX}/incidents/{{id}}/timeline": _ALL - {Role.INSTALLER},
    f"POST {PREFIX}/incidents/{{id}}/acknowledge": _ROOM,
    f"POST {PREFIX}/incidents/{{id}}/accept": _FIELD,
    f"POST {PREFIX}/incidents/{{id}}/decline": _FIELD,
    f"POST {PREFIX}/incidents/{{id}}/arrive": _FIELD,
    f"POST {PREFIX}/incidents/{{id}}/note": _FIELD,
    f"POST {PREFIX}/incidents/{{id}}/verify": _FIELD,  # a worker: what he saw on site
    f"POST {PREFIX}/incidents/{{id}}/close": _ROOM,
    f"POST {PREFIX}/incidents": _FIELD,  # people raise them too
    **{
        f"POST {PREFIX}/incidents/{{id}}/{verb}": _ROOM
        for verb in (
            "dispatch",
            "transfer",
            "escalate",
            "call-again",
            "silence",
            "shelve",
            "unshelve",
            "evaluate",
            "reopen",
        )
    },
    f"GET {PREFIX}/incidents/{{id}}/photos": _ALL - {Role.INSTALLER},
    f"POST {PREFIX}/incidents/{{id}}/photos": _FIELD,
    f"GET {PREFIX}/incidents/{{id}}/photos/{{photo_id}}": _ALL - {Role.INSTALLER},
    f"POST {PREFIX}/drills": _CHIEFS,
    f"GET {PREFIX}/drills": _STAFF - {Role.INSTALLER},
    f"GET {PREFIX}/drills/preview": _CHIEFS,
    f"GET {PREFIX}/drills/{{id}}": _STAFF - {Role.INSTALLER},
    f"POST {PREFIX}/drills/{{id}}/end": _CHIEFS,
    f"GET {PREFIX}/notifications": _ALL - {Role.INSTALLER},
    f"POST {PREFIX}/notifications/{{id}}/received": _FIELD,
    f"GET {PREFIX}/stream": _ALL - {Role.INSTALLER},
    f"POST {PREFIX}/imports": _PEOPLE,
    f"GET {PREFIX}/imports/{{id}}": _PEOPLE,
    f"GET {PREFIX}/exports/registry.xlsx": _PEOPLE,
    f"GET {PREFIX}/quarantine": frozenset(
        {Role.ADMINISTRATOR, Role.INSTALLER, Role.OPERATOR, Role.SUPERVISOR, Role.AUDITOR}
    ),
    f"POST {PREFIX}/maintenance-windows": _ADMIN | {Role.SUPERVISOR},
    f"GET {PREFIX}/maintenance-windows": _STAFF,
    f"GET {PREFIX}/maintenance-windows/{{id}}": _STAFF,
    f"POST {PREFIX}/maintenance-windows/{{id}}/end": _ADMIN | {Role.SUPERVISOR},
    f"GET {PREFIX}/work-orders": _ALL,
    f"GET {PREFIX}/policies": _STAFF - {Role.INSTALLER},
    f"GET {PREFIX}/policies/{{name}}": _STAFF - {Role.INSTALLER},
    f"PUT {PREFIX}/policies/{{name}}": _ADMIN,
    f"GET {PREFIX}/policy-preview": _STAFF - {Role.INSTALLER},
    f"GET {PREFIX}/words": _ALL,
    f"GET {PREFIX}/api-keys": _ADMIN | {Role.AUDITOR},
    f"POST {PREFIX}/api-keys": _ADMIN,
    f"POST {PREFIX}/api-keys/{{id}}/revoke": _ADMIN,
    f"GET {PREFIX}/sessions/current": _ALL,
    f"DELETE {PREFIX}/sessions/current": _ALL,
    **_registry("users", _ADMIN | {Role.AUDITOR}, _ADMIN),
    f"POST {PREFIX}/users/{{id}}/password": _ALL,  # his own; somebody else's only as an administrator
    f"GET {PREFIX}/audit": _ADMIN | {Role.SUPERVISOR, Role.AUDITOR},
}
"""`METHOD path template` -> the roles that may. `grid_worker` sees its own incidents and notifications only."""


def allowed(method: str, path: str) -> frozenset[Role] | None:
    """The roles of a route, None when it is open. KeyError: the route has no row, which is a programmer's error."""
    route = f"{method} {path}"
    return None if route in OPEN else ROUTES[route]
