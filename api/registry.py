"""What all registry resources do alike: create once, list, read with an ETag, change over a version; each within the
caller's scope, each change with its row in the audit. Never holds SQL.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import msgspec
from fastapi import APIRouter, Request, Response
from pydantic import ValidationError
from sqlalchemy import Connection

from alerting.ports import Conflict, Priority
from api import audit
from api.auth import caller_of
from api.deps import Deps, Use
from api.errors import from_validation, not_found, out_of_scope
from api.idempotency import Made, attempt, make_once
from api.pages import answer, page, position
from api.permissions import PREFIX
from api.schemas.common import Body, Patch, Shown
from api.versions import check_version, etag, expected_version
from devices.store.scope import Scope, common_path

B = TypeVar("B", bound=Body)
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Noun(Generic[B, R]):
    """One kind of thing: how its rows are found, changed, shown, and where they lie."""

    name: str
    model: type[B]
    """The body of PUT."""
    get: Callable[[Connection, str], R | None]
    insert_many: Callable[[Connection, list[R]], None]
    update_one: Callable[[Connection, R], bool]
    changed: Callable[[Connection, Scope, B, R], R]
    """The row with this body's values, its id and version as they were. References outside the scope are unknown.
    Problem when a field cannot stand."""
    shown: Callable[[R], Shown]
    version: Callable[[R], int]
    path: Callable[[Connection, R], str | None]
    """Where the thing lies, as a place's path; None: nowhere, so only who sees everything sees it."""
    inside: Callable[[Connection, Scope, R], bool] | None = None
    """Whether the thing lies within a scope, where its path alone does not tell."""
    scope_field: str = ""
    """The field that says where it lies: named when a new thing would lie outside the caller's scope."""

    def within(self, conn: Connection, scope: Scope, row: R) -> bool:
        """Whether somebody with this scope may see the thing."""
        if self.inside is not None:
            return self.inside(conn, scope, row)
        return scope.everything or scope.covers(self.path(conn, row))

    def key(self, row: R) -> str:
        """The id under which it is shown."""
        return str(self.shown(row).model_dump(mode="json")["id"])


async def create(request: Request, deps: Deps, noun: Noun[B, R], body: B, fresh: Callable[[Connection], R]) -> Response:
    """POST: one row, 201 with its address and ETag. `fresh` is the row before the body's values are put in."""

    def work(conn: Connection) -> Made:
        scope = caller_of(request).scope(conn)
        row = noun.changed(conn, scope, body, fresh(conn))
        noun.insert_many(conn, [row])
        path = _inside(conn, noun, row, scope)
        document = noun.shown(row).model_dump(mode="json")
        audit.note(conn, request, deps, "create", noun.name, document["id"], path=path, detail=document)
        headers = {"location": f"{PREFIX}/{noun.name}/{document['id']}", "etag": etag(noun.version(row))}
        return Made(document, headers=headers)

    made = await make_once(request, deps, work)
    if made.fresh:
        deps.service.registry_changed()
    return made.response()


async def list_page(
    request: Request,
    deps: Deps,
    noun: Noun[B, R],
    cursor: str | None,
    limit: int,
    rows: Callable[[Connection, str | None, int, Scope], list[R]],
) -> Response:
    """GET a page in order of ids. `rows(conn, after, limit, scope)` asks one row more than the page holds."""
    after = position(cursor)

    def work(conn: Connection) -> list[R]:
        return rows(conn, after, limit + 1, caller_of(request).scope(conn))

    return page(await deps.database.read(work), limit, noun.shown, noun.key)


async def read_one(request: Request, deps: Deps, noun: Noun[B, R], key: str) -> Response:
    """GET: the row with its ETag."""
    return _answer(noun, await deps.database.read(lambda conn: visible(conn, request, noun, key)))


def visible(conn: Connection, request: Request, noun: Noun[B, R], key: str) -> R:
    """The row, when it exists within the caller's scope; Problem 404 otherwise."""
    row = noun.get(conn, key)
    scope = caller_of(request).scope(conn)
    if row is None or not noun.within(conn, scope, row):
        raise not_found()
    return row


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
        before = visible(conn, request, noun, key)
        check_version(expected, noun.version(before))
        scope, stood = caller_of(request).scope(conn), noun.path(conn, before)
        if not noun.update_one(conn, noun.changed(conn, scope, body_over(before), before)):
            raise Conflict(f"{noun.name} {key}")
        after = noun.get(conn, key)
        assert after is not None, "a row that was just written is there"
        path = _both(stood, _inside(conn, noun, after, scope))
        old, new = (noun.shown(row).model_dump(mode="json") for row in (before, after))
        audit.note(conn, request, deps, "change", noun.name, key, path=path, detail=audit.changes(old, new))
        return after

    row = await deps.database.write(Priority.ADMINISTRATION, lambda conn: attempt(conn, work))
    deps.service.registry_changed()
    return _answer(noun, row)


async def remove_one(
    request: Request, deps: Deps, noun: Noun[B, R], key: str, remove: Callable[[Connection, R], bool]
) -> Response:
    """DELETE over the version in If-Match: 204. `remove` answers False when somebody else was faster."""
    expected = expected_version(request)

    def work(conn: Connection) -> None:
        row = visible(conn, request, noun, key)
        check_version(expected, noun.version(row))
        path = noun.path(conn, row)
        if not remove(conn, row):
            raise Conflict(f"{noun.name} {key}")
        document = noun.shown(row).model_dump(mode="json")
        audit.note(conn, request, deps, "remove", noun.name, key, path=path, detail=document)

    await deps.database.write(Priority.ADMINISTRATION, lambda conn: attempt(conn, work))
    deps.service.registry_changed()
    return Response(status_code=204)


def serve_one(
    router: APIRouter,
    noun: Noun[B, R],
    shown: type[Shown],
    remove: Callable[[Connection, R], bool] | None = None,
) -> None:
    """The addresses of one thing: GET, PUT, PATCH and, with `remove`, DELETE; each as its function above says."""

    async def read(id: str, request: Request, use: Use) -> Response:
        return await read_one(request, use, noun, id)

    async def put(id: str, body: Any, request: Request, use: Use) -> Response:
        return await put_one(request, use, noun, id, body)

    async def patch(id: str, body: Patch, request: Request, use: Use) -> Response:
        return await patch_one(request, use, noun, id, body)

    async def delete(id: str, request: Request, use: Use) -> Response:
        assert remove is not None
        return await remove_one(request, use, noun, id, remove)

    put.__annotations__["body"] = noun.model  # what FastAPI reads, and the document shows
    for method, act in (("GET", read), ("PUT", put), ("PATCH", patch)):
        router.add_api_route("/{id}", act, methods=[method], response_model=shown, name=f"{method} {noun.name}")
    if remove is not None:
        router.add_api_route("/{id}", delete, methods=["DELETE"], status_code=204, name=f"DELETE {noun.name}")


def _inside(conn: Connection, noun: Noun[B, R], row: R, scope: Scope) -> str | None:
    """The path of a row just written; Problem 422 when it would lie outside the caller's scope."""
    path = noun.path(conn, row)
    if not noun.within(conn, scope, row):
        raise out_of_scope(f"#/{noun.scope_field}" if noun.scope_field else "#")
    return path


def _both(before: str | None, after: str | None) -> str | None:
    """Where a change lies in the audit: what moved from one place to another is told to those who see both."""
    return common_path([before, after]) if before is not None and after is not None else None


def _answer(noun: Noun[B, R], row: R) -> Response:
    return answer(noun.shown(row).model_dump(mode="json"), headers={"etag": etag(noun.version(row))})


def _encode(document: dict[str, Any]) -> bytes:
    return msgspec.json.encode(document)
