"""What each route is asked with, for either side of the two districts: addresses, bodies, parameters. Holds no test.

A new route goes into one of these tables; `test_every_route_has_its_case` says so.
"""

from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

from api.permissions import PREFIX
from tests.contract.access_support import PASSWORD
from tests.contract.scope_world import NUMBERS, ROSTER, Side, roster_body

ELSEWHERE = {
    f"GET {PREFIX}/stream": "test_api_stream_scope.py",
    f"DELETE {PREFIX}/sessions/current": "ends the caller's own session",
    f"POST {PREFIX}/imports": "test_import_scope.py",
    f"GET {PREFIX}/imports/{{id}}": "test_import_scope.py",
    f"GET {PREFIX}/exports/registry.xlsx": "test_import_scope.py",
    f"GET {PREFIX}/readiness/me": "of the caller himself alone: test_api_readiness.py",
    **{
        f"GET {PREFIX}/{noun}": "of the deployment, of no place and nobody: test_api_readiness.py"
        for noun in ("readiness/providers", "contact-card.vcf", "contact-card.svg", "phone-guides", "words")
    },
    f"GET {PREFIX}/webpush/key": "one key for everybody: test_api_subscriptions.py",
    f"GET {PREFIX}/devices/{{id}}/walk-test/events": "does not end: the last test of test_scope_differential.py",
}
"""Routes that are not walked for what the caller may reach, and where they are."""

SHARED = {"organisations", "models"}
"""Catalogues of the whole deployment: read by all, written by those alone who see everything."""
WHOLE = {
    *(f"{method} {PREFIX}/{noun}" for method in ("POST",) for noun in SHARED),
    *(f"{method} {PREFIX}/{noun}/{{id}}" for method in ("PUT", "PATCH", "DELETE") for noun in SHARED),
    f"PUT {PREFIX}/policies/{{name}}",
    f"POST {PREFIX}/box-lists",
    f"POST {PREFIX}/readiness/providers/check",
}
OWN = {f"GET {PREFIX}/sessions/current"}
"""Tells of the caller himself alone."""

REFERENCES = {
    "parent_id": "building",
    "under": "building",
    "place_id": "room",
    "place": "room",
    "community_id": "community",
    "grid_id": "grid",
    "grid": "grid",
    "person_id": "worker",
    "worker": "worker",
    "recipient_id": "worker",
    "device_id": "smoke-1",
    "device": "smoke-1",
    "incident": "incidents",
    "incident_id": "incidents",
    "object_id": "room",
    "actor_id": "users",
    "property_company": "organisations",
}
"""Parameters of queries that name something: what of a side they are asked with."""
PLAIN = {
    "cursor", "limit", "open", "work", "condition", "ack", "severity_max", "code", "reference", "channel", "state",
    "purpose", "act", "kind", "at", "format", "sheet", "page", "address", "running", "status", "model", "label",
    "commissioned", "test_mode", "type", "committee", "three_without", "role", "days", "from", "to", "identity",
    "expired", "not_commissioned", "dialect", "codec", "gaps", "starts_before", "ends_after", "in_force", "q",
    "shelved", "raised", "unseen", "drill", "language",
    "older_than_h",
}  # fmt: skip
NEEDED = {
    "flats": ("under",), "labels": ("device_id",), "duty": ("grid",), "households": ("under",),
    "policy-preview": ("place",), "drills": ("grid",),
}  # fmt: skip
"""Lists that answer only to a question."""

Body = Callable[[Side], Any]


def _household(side: Side) -> dict[str, Any]:
    return {
        "place_id": side.code("room"),
        "name": "住户",
        "relation": "tenant",
        "phone": NUMBERS[side.prefix],
        "consent_at": "2025-05-01T08:00:00+08:00",
        "consent_until": "2099-05-01T00:00:00+08:00",
        "consent_how": "paper",
    }


def _user(side: Side) -> dict[str, Any]:
    return {
        "login": "new-user",
        "name": "值班员",
        "password": PASSWORD,
        "person_id": side.code("worker"),
        "grants": [{"role": "viewer", "place_id": side.code("street")}],
    }


def _grid(side: Side) -> dict[str, Any]:
    return {
        "code": "new-grid",
        "name": "网格",
        "community_id": side.code("community"),
        "place_ids": [side.code("spare")],
        "workers": [side.code("deputy")],
        "neighbours": [side.code("grid")],
    }


_PLACE: Body = lambda side: {"kind": "part", "name": "门厅", "parent_id": side.code("building")}  # noqa: E731
_POLICY = {
    "steps": [{"after_s": 0, "to": ["grid_worker"], "channels": ["sms"]}],
    "loop": {"every_s": 60, "to": ["control_room"]},
}
ORGANISATION = {"kind": "unit", "code": "new-unit", "name": "单位"}
MODEL = {"code": "new-model", "maker": "maker", "model": "model", "kind": "smoke_detector"}

BODIES: dict[str, Body] = {
    "POST drills": lambda side: {"grid": side.code("ground"), "place": side.code("ground-place")},
    "POST places": _PLACE,
    "PUT places/{id}": lambda side: {
        "kind": "building",
        "name": "新名",
        "code": side.code("building"),
        "parent_id": side.code("compound"),
    },
    "POST grids": _grid,
    "PUT grids/{id}": lambda side: (
        _grid(side) | {"code": side.code("grid"), "neighbours": [], "place_ids": [side.code("building")]}
    ),
    "POST workers": lambda side: {"code": "new-worker", "name": "网格员", "place_id": side.code("community")},
    "PUT workers/{id}": lambda side: {
        "code": side.code("worker"),
        "name": "网格员",
        "place_id": side.code("community"),
    },
    "POST workers/{id}/contacts": lambda side: {"channel": "voice", "address": NUMBERS[side.prefix]},
    "POST workers/{id}/contacts/{contact_id}/reveal": lambda side: {"reason": "现场无应答"},
    "POST workers/{id}/contacts/{contact_id}/verification/confirm": lambda side: {"code": "000000"},
    "POST workers/{id}/subscriptions": lambda side: {"carrier": "dingtalk", "user_id": "ding-1"},
    "POST households": _household,
    "PUT households/{id}": lambda side: _household(side) | {"relation": "owner"},
    "POST households/{id}/consent": lambda side: {
        "consent_at": "2025-06-01T08:00:00+08:00",
        "consent_until": "2099-05-01T00:00:00+08:00",
        "consent_how": "paper",
    },
    "POST organisations": lambda side: ORGANISATION,
    "PUT organisations/{id}": lambda side: ORGANISATION | {"code": "shared-unit"},
    "POST models": lambda side: MODEL,
    "PUT models/{id}": lambda side: MODEL | {"code": "shared-model"},
    "PUT policies/{name}": lambda side: _POLICY,
    "PUT compounds/{id}": lambda side: {"type": "old", "committee": "owners"},
    **{f"POST {noun}": lambda side, noun=noun: roster_body(noun, side, 2028) for noun in ROSTER},  # type: ignore[misc]
    **{f"PUT {noun}/{{id}}": lambda side, noun=noun: roster_body(noun, side) for noun in ROSTER},  # type: ignore[misc]
    "POST duty/cover": lambda side: {"grid": side.code("grid"), "hours": 8, "person_id": side.code("worker")},
    "POST devices": lambda side: {"id": "new-smoke", "kind": "smoke_detector", "place_id": side.code("room")},
    "PUT devices/{id}": lambda side: {"kind": "smoke_detector", "place_id": side.code("room")},
    "POST devices/{id}/out-of-service": lambda side: {"hours": 1, "reason": "装修"},
    "POST devices/{id}/replace": lambda side: {"label": "IMEI:861234567890226"},
    "PUT devices/{id}/actions": lambda side: {"cut_power": {"declared": True, "permitted": True}},
    "POST devices/{id}/commands": lambda side: {
        "action": "cut_power",
        "reason": "现场冒烟",
        "incident": side.ids.get("incidents", "none"),
    },
    "POST maintenance-windows": lambda side: {"device_id": side.code("smoke-3"), "hours": 1, "reason": "检修"},
    "POST test-sessions": lambda side: {"device_ids": [side.code("smoke-3")], "minutes": 10},
    "POST enrolments": lambda side: {
        "label": "IMEI:861234567890127",
        "kind": "smoke_detector",
        "place_id": side.code("room"),
    },
    "POST box-lists": lambda side: {
        "items": [{"model": "shared-model", "identities": [{"kind": "imei", "value": "861234567890325"}]}]
    },
    "POST labels": lambda side: {"device_ids": [side.code("smoke-2")]},
    "POST workers/{id}/contacts/{contact_id}/white-list": lambda side: {"vendor": "aliyun"},
    "POST readiness/me/phone-guide": lambda side: {"brand": "huawei"},
    "POST readiness/me/self-test": lambda side: {"test_id": side.code("tap")},
    "PUT flats/{id}": lambda side: {"status": "nobody_home"},
    "POST incidents": lambda side: {"place": side.code("room"), "code": "charge.wire", "via": "patrol", "note": "飞线"},
    "POST incidents/{id}/dispatch": lambda side: {"worker": side.code("worker")},
    "POST incidents/{id}/transfer": lambda side: {"to": side.code("ground")},
    "POST incidents/{id}/call-again": lambda side: {"recipient": side.code("worker")},
    "POST incidents/{id}/shelve": lambda side: {"minutes": 10, "reason": "业主来挪车"},
    "POST incidents/{id}/evaluate": lambda side: {"score": 5},
    "POST incidents/{id}/reopen": lambda side: {"reason": "再次冒烟"},
    "POST incidents/{id}/verify": lambda side: {"result": "false_alarm", "how": "on_site", "cause": "做饭"},
    "POST incidents/{id}/note": lambda side: {"text": "已联系"},
    "POST api-keys": lambda side: {
        "name": "new-key",
        "role": "viewer",
        "place_id": side.code("street"),
        "person_id": side.code("worker"),
    },
    "POST users": _user,
    "PUT users/{id}": lambda side: {
        "login": side.code("user"),
        "name": "值班员",
        "person_id": side.code("worker"),
        "grants": [{"role": "viewer", "place_id": side.code("street")}],
    },
    "POST users/{id}/password": lambda side: {"password": PASSWORD},
}
"""`METHOD noun...` -> a body that works for its side. A PATCH sends the body of its PUT."""

START, END = "2028-05-01T08:00:00+08:00", "2028-05-02T08:00:00+08:00"

OTHER_BODIES: dict[str, tuple[Body, ...]] = {
    "POST devices/{id}/replace": (lambda side: {"id": side.code("smoke-2")},),
    "POST maintenance-windows": (lambda side: {"place_id": side.code("room"), "hours": 1, "reason": "检修"},),
    "POST test-sessions": (lambda side: {"place_id": side.code("room"), "minutes": 10},),
    "POST labels": (lambda side: {"under": side.code("building")},),
    "POST incidents/{id}/transfer": (lambda side: {"to": "community"},),
    "POST incidents/{id}/call-again": (lambda side: {},),
    "POST shifts": (lambda side: _post(side) | {"rank": 1},),
    "POST overrides": (lambda side: _post(side) | {"starts_at": START, "ends_at": END},),
    "POST patterns": (lambda side: _street_pattern(side),),
}
"""More ways to name something in the same body."""


def _post(side: Side) -> dict[str, Any]:
    return {"role": "street_duty", "person_id": side.code("worker"), "place_id": side.code("street")}


def _street_pattern(side: Side) -> dict[str, Any]:
    body = roster_body("patterns", side)
    slots = [slot | {"role": "street_duty"} for slot in body["slots"]]
    return body | {"grid_id": None, "place_id": side.code("street"), "slots": slots}


NO_BODY = {
    "POST workers/{id}/contacts/{contact_id}/opt-out",
    "POST workers/{id}/contacts/{contact_id}/opt-in",
    "POST workers/{id}/contacts/{contact_id}/verification",
    "POST households/{id}/verification",
    "POST readiness/me/contact-card",
    "POST readiness/providers/check",
    "POST devices/{id}/credential",
    "POST devices/{id}/credential/revoke",
    "POST devices/{id}/in-service",
    "POST devices/{id}/remove",
    "POST devices/{id}/walk-test",
    "POST test-sessions/{id}/end",
    "POST drills/{id}/end",
    "POST maintenance-windows/{id}/end",
    *(f"POST incidents/{{id}}/{verb}" for verb in ("acknowledge", "accept", "decline", "arrive", "close")),
    *(f"POST incidents/{{id}}/{verb}" for verb in ("escalate", "silence", "unshelve")),
    "POST notifications/{id}/received",
    "POST api-keys/{id}/revoke",
}
PICTURES = {f"{method} places/{{id}}/pictures/{{kind}}" for method in ("GET", "PUT", "DELETE")}
PICTURES |= {"POST incidents/{id}/photos", "GET incidents/{id}/photos/{photo_id}"}

TARGETS = {
    "GET readiness/workers/{id}": "worker",
    "POST devices/{id}/walk-test": "smoke-4",
    "POST devices/{id}/remove": "smoke-4",
    "POST devices/{id}/replace": "smoke-3",
    "POST devices/{id}/in-service": "smoke-2",
    "POST devices/{id}/out-of-service": "smoke-2",
    "DELETE places/{id}": "spare-2",
    "DELETE leaves/{id}": "leaves",
}
"""Where the usual thing of a noun would not do."""
REACHED: dict[str, set[int]] = {}
"""What is not answered by success though it is reached."""
EXISTS_ELSEWHERE = {"POST devices/{id}/replace": {"installed_out_of_scope"}}
"""Bodies that name a device by what is printed on it: whoever holds it in his hands is told that it hangs elsewhere."""
LAST = ("DELETE", "revoke", "remove", "replace", "end", "password")
"""What takes something away is done when everything else has been reached."""


def short(route: str) -> str:
    return route.replace(f"{PREFIX}/", "")


def noun_of(route: str) -> str:
    return short(route).split(" ")[1].split("/")[0]


def address(route: str, side: Side) -> str:
    """The route's address for a thing of this side."""
    path = route.split(" ")[1]
    known = short(route)
    target = TARGETS.get(known) or noun_of(route)
    ids = {"{id}": side.ids.get(target, ""), "{name}": side.ids["policies"], "{kind}": "door"}
    ids["{contact_id}"] = side.ids["contact"]
    ids["{subscription_id}"] = side.ids["subscription"]
    ids["{photo_id}"] = side.ids.get("photo", "")
    for parameter, value in ids.items():
        if parameter in path:
            assert value, f"{route}: no {target} in the world: give it one"
            path = path.replace(parameter, value)
    assert "{" not in path, f"{route}: a parameter without a value"
    return path


def body_of(route: str, side: Side) -> Any:
    known = short(route)
    if known.startswith("PATCH "):
        known = known.replace("PATCH ", "PUT ")
    if known in BODIES:
        return BODIES[known](side)
    assert known.startswith(("GET ", "DELETE ")) or known in NO_BODY | PICTURES, f"{route} has no case: give it a body"
    return None


def leaves(document: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Every value in a JSON document, with the way to it."""
    match document:
        case dict():
            for name, value in document.items():
                yield from leaves(value, (*path, name))
        case list():
            for index, value in enumerate(document):
                yield from leaves(value, (*path, index))
        case _:
            yield path, document


def with_leaf(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    changed = deepcopy(document)
    inside = changed
    for step in path[:-1]:
        inside = inside[step]
    inside[path[-1]] = value
    return changed
