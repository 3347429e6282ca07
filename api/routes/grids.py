"""Grids: what they cover, their own people, neighbours, night rule. Never decides which grid a device belongs to."""

from collections.abc import Sequence
from dataclasses import replace

from fastapi import APIRouter, Request, Response
from sqlalchemy import Connection

from api.auth import GuardedRoute
from api.deps import Use
from api.errors import conflict, invalid
from api.pages import Cursor, Limit, Page, limit_default
from api.permissions import PREFIX
from api.references import grid_of, person_of, place_id_of, place_of
from api.registry import Noun, create, list_page, serve_one
from api.schemas.registry import GridIn, GridOut, NightRule, minute_of, wall_of
from api.store.references import covering
from devices.store import grids as store
from devices.store.grids import GridRow
from devices.store.scope import Scope, path_of_grid

router = APIRouter(prefix=f"{PREFIX}/grids", tags=["grids"], route_class=GuardedRoute)


def _changed(conn: Connection, scope: Scope, body: GridIn, before: GridRow) -> GridRow:
    holder = store.find(conn, body.code)
    if holder is not None and holder.id != before.id:
        raise conflict("#/code", "taken", value=body.code)
    covered = [place_of(conn, scope, wanted, f"#/place_ids/{index}").id for index, wanted in enumerate(body.place_ids)]
    for place_id, (grid_id, code) in covering(conn, covered).items():
        if grid_id != before.id:
            index = covered.index(place_id)
            raise conflict(f"#/place_ids/{index}", "covered", value=body.place_ids[index], grid=code)
    return replace(
        before,
        code=body.code,
        name=body.name,
        name_en=body.name_en,
        community_id=place_id_of(conn, scope, body.community_id, "#/community_id"),
        place_ids=tuple(dict.fromkeys(covered)),
        worker_ids=_people(conn, scope, body.workers),
        neighbour_ids=_neighbours(conn, scope, body.neighbours, before.id),
        night=_night(body.night_rule),
    )


def _people(conn: Connection, scope: Scope, wanted: Sequence[str]) -> tuple[str, ...]:
    found = (person_of(conn, scope, each, f"#/workers/{index}").id for index, each in enumerate(wanted))
    return tuple(dict.fromkeys(found))


def _neighbours(conn: Connection, scope: Scope, wanted: Sequence[str], own_id: str) -> tuple[str, ...]:
    found = [grid_of(conn, scope, each, f"#/neighbours/{index}").id for index, each in enumerate(wanted)]
    if own_id in found:
        raise invalid(f"#/neighbours/{found.index(own_id)}", "own_neighbour")
    return tuple(dict.fromkeys(found))


def _night(rule: NightRule | None) -> tuple[int, int] | None:
    return None if rule is None else (minute_of(rule.from_), minute_of(rule.to))


def _shown(row: GridRow) -> GridOut:
    return GridOut(
        id=row.id,
        code=row.code,
        name=row.name,
        name_en=row.name_en,
        community_id=row.community_id,
        place_ids=list(row.place_ids),
        workers=list(row.worker_ids),
        neighbours=list(row.neighbour_ids),
        night_rule=None if row.night is None else NightRule(from_=wall_of(row.night[0]), to=wall_of(row.night[1])),
        version=row.version,
    )


_GRIDS = Noun(
    name="grids",
    model=GridIn,
    get=store.get,
    insert_many=store.insert_many,
    update_one=store.update_one,
    changed=_changed,
    shown=_shown,
    version=lambda row: row.version,
    path=lambda conn, row: path_of_grid(conn, row.id),
    scope_field="community_id",
)


@router.get("", response_model=Page[GridOut])
async def list_grids(request: Request, use: Use, cursor: Cursor = None, limit: Limit = limit_default) -> Response:
    def rows(conn: Connection, after: str | None, count: int, scope: Scope) -> list[GridRow]:
        return store.page(conn, after, count, within=scope)

    return await list_page(request, use, _GRIDS, cursor, limit, rows)


@router.post("", status_code=201, response_model=GridOut)
async def create_grid(body: GridIn, request: Request, use: Use) -> Response:
    fresh = GridRow(use.ids.uuid7(), body.code, body.name, body.name_en)
    return await create(request, use, _GRIDS, body, lambda conn: fresh)


serve_one(router, _GRIDS, GridOut)
