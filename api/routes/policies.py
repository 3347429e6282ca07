"""Escalation policies: read, and put under their names. Which one an incident gets is the core's choice."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from sqlalchemy import Connection

from alerting.core.policy import document, parse
from alerting.ports import Conflict, Priority
from alerting.store import policy_rows as store
from alerting.store.policy_rows import PolicyRow
from api import audit
from api.auth import Caller, GuardedRoute, Who, for_everything
from api.deps import Use
from api.errors import not_found
from api.idempotency import attempt
from api.pages import Cursor, Limit, Page, answer, limit_default, page, position
from api.permissions import PREFIX
from api.references import place_of
from api.schemas.admin import PolicyIn, PolicyOut
from api.versions import check_version, etag, expected_version
from devices.store.scope import EVERYTHING, path_of_place

router = APIRouter(prefix=f"{PREFIX}/policies", tags=["policies"], route_class=GuardedRoute)

PolicyName = Annotated[str, Path(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]


@router.get("", response_model=Page[PolicyOut])
async def list_policies(use: Use, who: Who, cursor: Cursor = None, limit: Limit = limit_default) -> Response:
    """What is configured; the built-in defaults stand behind it and are not listed. One that names places is seen by
    those who may see all of these."""
    after = position(cursor)

    def work(conn: Connection) -> list[PolicyRow]:
        found: list[PolicyRow] = []
        last = after
        while len(found) <= limit and (rows := store.page(conn, last, limit + 1)):
            last = rows[-1].name
            found += [row for row in rows if _visible(conn, who, row)]
        return found[: limit + 1]

    return page(await use.database.read(work), limit, _shown, lambda row: row.name)


@router.get("/{name}", response_model=PolicyOut)
async def read_policy(name: PolicyName, use: Use, who: Who) -> Response:
    def work(conn: Connection) -> PolicyRow | None:
        row = store.get(conn, name)
        return row if row is not None and _visible(conn, who, row) else None

    row = await use.database.read(work)
    if row is None:
        raise not_found()
    return _answer(row)


@router.put("/{name}", response_model=PolicyOut)
async def put_policy(name: PolicyName, body: PolicyIn, request: Request, use: Use, who: Who) -> Response:
    """A new name is made (201). One that exists needs If-Match; open incidents keep the version they opened with."""

    def work(conn: Connection) -> PolicyRow:
        for_everything(who, conn)
        row = store.get(conn, name)
        document = _with_place_ids(conn, body.document())
        if row is None:
            row = PolicyRow(name, body.position, document, 1)
            store.add(conn, use.ids.uuid7(), row)
            audit.note(conn, request, use, "create", "policies", name, detail=document)
            return row
        check_version(expected_version(request), row.version)
        if not store.replace(conn, name, row.version, body.position, document):
            raise Conflict(f"policy {name}")
        audit.note(conn, request, use, "change", "policies", name, detail=document)
        return PolicyRow(name, body.position, document, row.version + 1)

    row = await use.database.write(Priority.ADMINISTRATION, lambda conn: attempt(conn, work))
    use.service.registry_changed()
    return _answer(row, 201 if row.version == 1 else 200)


def _visible(conn: Connection, who: Caller, row: PolicyRow) -> bool:
    scope = who.scope(conn)
    named = (row.document.get("match") or {}).get("places") or []
    return scope.everything or all(scope.covers(path_of_place(conn, place)) for place in named)


def _with_place_ids(conn: Connection, document: dict[str, Any]) -> dict[str, Any]:
    """Places may be named by code; what is kept are ids, which is what an incident's path is compared with."""
    match = document.get("match") or {}
    wanted = match.get("places") or []
    ids = [place_of(conn, EVERYTHING, place, f"#/match/places/{index}").id for index, place in enumerate(wanted)]
    return {**document, "match": {**match, "places": ids}} if wanted else document


def _answer(row: PolicyRow, status: int = 200) -> Response:
    return answer(_shown(row).model_dump(mode="json"), status, {"etag": etag(row.version)})


def _shown(row: PolicyRow) -> PolicyOut:
    whole = parse(row.name, row.document, row.version)
    return PolicyOut.model_validate(
        {**document(whole), "name": row.name, "position": row.position, "version": row.version}
    )
