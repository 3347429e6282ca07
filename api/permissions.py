"""Who may call what: the one table of routes and roles. A route that is not in it cannot be built."""

from enum import StrEnum


class Role(StrEnum):
    """What a key may do. Not `devices.model.Role`, which is a step of the escalation."""

    ADMINISTRATOR = "administrator"
    ROSTER_PLANNER = "roster_planner"
    INSTALLER = "installer"
    OPERATOR = "operator"
    SUPERVISOR = "supervisor"
    GRID_WORKER = "grid_worker"
    AUDITOR = "auditor"
    VIEWER = "viewer"


PREFIX = "/api/v1"

OPEN: frozenset[str] = frozenset(
    {
        "GET /healthz",
        "GET /readyz",
        "GET /metrics",
        f"GET {PREFIX}/openapi.json",
        "POST /callbacks/{provider}/{kind}",  # the provider's signature is its key
    }
)
"""Routes without a key."""

_ADMIN = frozenset({Role.ADMINISTRATOR})
_STAFF = frozenset(Role) - {Role.GRID_WORKER}
"""Everybody who sits at a desk may read the registry."""
_ROOM = frozenset({Role.ADMINISTRATOR, Role.SUPERVISOR, Role.OPERATOR})
"""The control room: it acts on incidents."""
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
    **_registry("grids", _STAFF, _PEOPLE),
    **_registry("workers", _ROSTER_READERS, _PEOPLE),
    f"GET {PREFIX}/workers/{{id}}/contacts": _ROSTER_READERS,
    f"POST {PREFIX}/workers/{{id}}/contacts": _PEOPLE,
    **_registry("shifts", _ROSTER_READERS, _PEOPLE),
    f"GET {PREFIX}/duty": _ROSTER_READERS,
    **_registry("devices", _STAFF, _DEVICES),
    f"POST {PREFIX}/devices/{{id}}/credential": _DEVICES,
    f"GET {PREFIX}/incidents": _ALL - {Role.INSTALLER},
    f"GET {PREFIX}/incidents/{{id}}": _ALL - {Role.INSTALLER},
    f"GET {PREFIX}/incidents/{{id}}/timeline": _ALL - {Role.INSTALLER},
    f"POST {PREFIX}/incidents/{{id}}/acknowledge": _ROOM,
    f"POST {PREFIX}/incidents/{{id}}/accept": _FIELD,
    f"POST {PREFIX}/incidents/{{id}}/decline": _FIELD,
    f"POST {PREFIX}/incidents/{{id}}/arrive": _FIELD,
    f"POST {PREFIX}/incidents/{{id}}/note": _FIELD,
    f"POST {PREFIX}/incidents/{{id}}/verify": _ROOM,
    f"POST {PREFIX}/incidents/{{id}}/close": _ROOM,
    f"GET {PREFIX}/notifications": _ALL - {Role.INSTALLER},
    f"POST {PREFIX}/notifications/{{id}}/received": _FIELD,
    f"GET {PREFIX}/stream": _ALL - {Role.INSTALLER},
    f"GET {PREFIX}/quarantine": frozenset(
        {Role.ADMINISTRATOR, Role.INSTALLER, Role.OPERATOR, Role.SUPERVISOR, Role.AUDITOR}
    ),
    f"GET {PREFIX}/policies": _STAFF - {Role.INSTALLER},
    f"GET {PREFIX}/policies/{{name}}": _STAFF - {Role.INSTALLER},
    f"PUT {PREFIX}/policies/{{name}}": _ADMIN,
    f"GET {PREFIX}/api-keys": _ADMIN | {Role.AUDITOR},
    f"POST {PREFIX}/api-keys": _ADMIN,
    f"POST {PREFIX}/api-keys/{{id}}/revoke": _ADMIN,
}
"""`METHOD path template` -> the roles that may. `grid_worker` sees its own incidents and notifications only."""


def allowed(method: str, path: str) -> frozenset[Role] | None:
    """The roles of a route, None when it is open. KeyError: the route has no row, which is a programmer's error."""
    route = f"{method} {path}"
    return None if route in OPEN else ROUTES[route]
