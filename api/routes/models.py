"""Device models: what all devices of one make have in common. Every desk reads them; only who sees the whole deployment
writes them."""

from dataclasses import replace
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import Connection

from api.auth import GuardedRoute, caller_of, for_everything
from api.deps import Use
from api.errors import conflict, invalid
from api.pages import Cursor, Limit, Page, limit_default
from api.permissions import PREFIX
from api.registry import Noun, create, list_page, patch_one, put_one, read_one
from api.schemas.common import Patch
from api.schemas.devices import ModelIn, ModelOut
from devices.codecs import TABLE as CODECS
from devices.store import models as store
from devices.store.models import ModelRow
from devices.store.scope import Scope

router = APIRouter(prefix=f"{PREFIX}/models", tags=["models"], route_class=GuardedRoute)

DIALECTS = (
    "plain", "zigbee2mqtt", "homeassistant", "tasmota", "shelly", "frigate", "onvif", "hikvision", "gb28181",
    "chirpstack", "ttn", "ctwing", "onenet", "aliyun", "tuya", "oceanconnect", "ocpp", "gb26875", "deconz", "ringmqtt",
    "quectel", "generic",
)  # fmt: skip
"""Every slug there will be: a model may be registered before its dialect is spoken."""


def _noun(request: Request) -> Noun[ModelIn, ModelRow]:
    return Noun(
        name="models",
        model=ModelIn,
        get=store.get,
        insert_many=store.insert_many,
        update_one=store.update_one,
        changed=partial(_changed, request),
        shown=_shown,
        version=lambda row: row.version,
        path=lambda conn, row: None,
        inside=lambda conn, scope, row: True,
    )


def _changed(request: Request, conn: Connection, scope: Scope, body: ModelIn, before: ModelRow) -> ModelRow:
    for_everything(caller_of(request), conn)
    holder = store.find(conn, body.code)
    if holder is not None and holder.id != before.id:
        raise conflict("#/code", "taken", value=body.code)
    if body.dialect not in DIALECTS:
        raise invalid("#/dialect", "enum", expected=", ".join(DIALECTS))
    if body.codec not in CODECS:
        raise invalid("#/codec", "enum", expected=", ".join(sorted(CODECS)))
    return replace(before, **body.model_dump())


def _shown(row: ModelRow) -> ModelOut:
    return ModelOut.model_validate(row, from_attributes=True)


@router.get("", response_model=Page[ModelOut])
async def list_models(
    request: Request,
    use: Use,
    kind: Annotated[str | None, Query(max_length=32)] = None,
    cursor: Cursor = None,
    limit: Limit = limit_default,
) -> Response:
    def rows(conn: Connection, after: str | None, count: int, scope: Scope) -> list[ModelRow]:
        return store.page(conn, after, count, kind=kind)

    return await list_page(request, use, _noun(request), cursor, limit, rows)


@router.post("", status_code=201, response_model=ModelOut)
async def create_model(body: ModelIn, request: Request, use: Use) -> Response:
    fresh = ModelRow(use.ids.uuid7(), body.code, body.maker, body.model, body.kind)
    return await create(request, use, _noun(request), body, lambda conn: fresh)


@router.get("/{id}", response_model=ModelOut)
async def read_model(id: str, request: Request, use: Use) -> Response:
    return await read_one(request, use, _noun(request), id)


@router.put("/{id}", response_model=ModelOut)
async def put_model(id: str, body: ModelIn, request: Request, use: Use) -> Response:
    """Devices keep the codec and window they got from it; new ones take the new values."""
    return await put_one(request, use, _noun(request), id, body)


@router.patch("/{id}", response_model=ModelOut)
async def patch_model(id: str, body: Patch, request: Request, use: Use) -> Response:
    return await patch_one(request, use, _noun(request), id, body)
