"""What all registry resources do alike: create once, read with an ETag, change over a version. Never holds SQL."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import msgspec
from fastapi import Request, Response
from pydantic import ValidationError
from sqlalchemy import Connection

from alerting.ports import Conflict, Priority
from api.deps import Deps
from api.errors import from_validation, not_found
from api.idempotency import Made, attempt, make_once
from api.pages import answer
from api.permissions import PREFIX
from api.schemas.common import Body, Shown
from api.versions import check_version, etag, expected_version

B = TypeVar("B", bound=Body)
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Noun(Generic[B, R]):
    """One kind of thing: how its rows are found, changed and shown."""

    name: str
    model: type[B]
    """The body of PUT."""
    get: Callable[[Connection, str], R | None]
    insert_many: Callable[[Connection, list[R]], None]
    update_one: Callable[[Connection, R], bool]
    changed: Callable[[Connection, B, R], R]
    """The row with this body's values, its id and version as they were. Problem when a field cannot stand."""
    shown: Callable[[R], Shown]
    version: Callable[[R], int]


async def create(request: Request, deps: Deps, noun: Noun[B, R], make: Callable[[Connection], R]) -> Response:
    """POST: one row, 201 with its address and ETag. `make` checks and builds it."""

    def work(conn: Connection) -> Made:
        row = make(conn)
        noun.insert_many(conn, [row])
        document = noun.shown(row).model_dump(mode="json")
        headers = {"location": f"{PREFIX}/{noun.name}/{document['id']}", "etag": etag(noun.version(row))}
        return Made(document, headers=headers)

    made = await make_once(request, deps, work)
    if made.fresh:
        deps.service.registry_changed()
    return made.response()


async def read_one(deps: Deps, noun: Noun[B, R], key: str) -> Response:
    """GET: the row with its ETag."""
    row = await deps.database.read(lambda conn: noun.get(conn, key))
    if row is None:
        raise not_found()
    return _answer(noun, row)


async def put_one(request: Request, deps: Deps, noun: Noun[B, R], key: str, body: B) -> Response:
    """PUT: the whole body over the version in If-Match."""
    return await _change(request, deps, noun, key, lambda before: body)


async def patch_one(request: Request, deps: Deps, noun: Noun[B, R], key: str, patch: dict[str, Any]) -> Response:
    """PATCH: a merge patch over the version in If-Match; the result must stand as a body of PUT."""

    def merged(before: R) -> B:
        known = noun.shown(before).model_dump(mode="json", include=set(noun.model.model_fields))
        try:
            return noun.model.model_validate_json(_encode(known | patch))
        except ValidationError as error:
            raise from_validation(error.errors(), in_body=True) from None

    return await _change(request, deps, noun, key, merged)


async def _change(request: Request, deps: Deps, noun: Noun[B, R], key: str, body_over: Callable[[R], B]) -> Response:
    expected = expected_version(request)

    def work(conn: Connection) -> R:
        before = noun.get(conn, key)
        if before is None:
            raise not_found()
        check_version(expected, noun.version(before))
        if not noun.update_one(conn, noun.changed(conn, body_over(before), before)):
            raise Conflict(f"{noun.name} {key}")
        after = noun.get(conn, key)
        assert after is not None, "a row that was just written is there"
        return after

    row = await deps.database.write(Priority.ADMINISTRATION, lambda conn: attempt(conn, work))
    deps.service.registry_changed()
    return _answer(noun, row)


def _answer(noun: Noun[B, R], row: R) -> Response:
    return answer(noun.shown(row).model_dump(mode="json"), headers={"etag": etag(noun.version(row))})


def _encode(document: dict[str, Any]) -> bytes:
    return msgspec.json.encode(document)
