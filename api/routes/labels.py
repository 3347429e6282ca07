"""Labels 标签: a short code for each device, and sheets of QR labels to print. A label names no place and no person."""

import secrets
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import Connection

from api import audit
from api.auth import GuardedRoute, caller_of
from api.deps import Use
from api.device_views import may_see
from api.errors import conflict, invalid
from api.idempotency import Made, make_once
from api.labels.layout import GRIDS, Label, Size, content_of, sheets
from api.labels.pdf import pdf
from api.labels.svg import svg
from api.permissions import PREFIX
from api.references import place_of, unknown
from api.schemas.devices import LabelOut, LabelsIn, LabelsOut, labels_at_once_max
from devices.labels import grouped, new_code, random_bytes
from devices.model import DeviceState
from devices.store import devices as store
from devices.store.devices import DeviceRow, Wanted
from devices.store.pages import PAGE_ROWS_MAX
from devices.store.scope import SEPARATOR, Scope, common_path, path_of_place

router = APIRouter(prefix=f"{PREFIX}/labels", tags=["labels"], route_class=GuardedRoute)

device_ids_max = 100
"""In an address; longer lists go by `under`."""


class Format(StrEnum):
    SVG = "svg"
    PDF = "pdf"


@dataclass(frozen=True, slots=True)
class _Chosen:
    """Whose labels. `pointer`: how the request names a device, `under` how it names a place."""

    device_ids: tuple[str, ...]
    place: str | None
    pointer: str
    under: str


@router.post("", status_code=201, response_model=LabelsOut)
async def assign_codes(body: LabelsIn, request: Request, use: Use) -> Response:
    """A code for each device that has none; the others keep theirs. Then print with GET."""
    chosen = _Chosen(body.device_ids, body.under, "#/device_ids/{index}", "#/under")

    def work(conn: Connection) -> Made:
        rows = _rows(conn, request, chosen)
        made = {row.id: _give_code(conn, row) for row in rows if row.label is None}
        items = [(row.id, row.label or made[row.id]) for row in rows]
        if made:
            paths = {path_of_place(conn, place_id) or "" for place_id in {row.place_id for row in rows}}
            note = {"codes": made}
            audit.note(conn, request, use, "label", "devices", rows[0].id, path=common_path(paths) or None, detail=note)
        shown = [LabelOut(device_id=device_id, label=code, text=grouped(code)) for device_id, code in items]
        return Made(LabelsOut(items=shown, made=len(made)).model_dump(mode="json"))

    return (await make_once(request, use, work)).response()


def _give_code(conn: Connection, row: DeviceRow) -> str:
    while store.by_label(conn, code := new_code(secrets.token_bytes(random_bytes))) is not None:
        pass
    store.set_label(conn, row.id, code)
    return code


@router.get("", responses={200: {"content": {"application/pdf": {}, "image/svg+xml": {}}}}, response_class=Response)
async def print_labels(
    request: Request,
    use: Use,
    under: Annotated[str | None, Query(max_length=64, description="id or code of a place")] = None,
    device_id: Annotated[list[str] | None, Query(max_length=device_ids_max)] = None,
    format: Format = Format.PDF,
    sheet: Size = Size.A4,
    page: Annotated[int, Query(ge=1, description="SVG holds one page; Gengfu-Pages says how many there are")] = 1,
    address: Annotated[
        str | None,
        Query(max_length=128, pattern=r"^https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?/?$", description="Our public address"),
    ] = None,
) -> Response:
    """QR labels at true size: print without scaling. With `address` a telephone's camera opens our page."""
    chosen = _Chosen(tuple(device_id or ()), under, "?device_id.{index}", "?under")
    rows = await use.database.read(lambda conn: _rows(conn, request, chosen))
    if bare := sum(row.label is None for row in rows):
        raise conflict(chosen.under if under else "?device_id", "without_label", count=bare)
    labels = [Label(row.label, _kind(row), content_of(row.label, address)) for row in rows if row.label]
    pages = -(-len(labels) // GRIDS[sheet].per_page)
    headers = {"gengfu-pages": str(pages), "content-disposition": f'inline; filename="labels.{format}"'}
    if format is Format.PDF:
        return Response(pdf(sheets(labels, sheet)), 200, headers, "application/pdf")
    if page > pages:
        raise invalid("?page", "less_than_equal", le=pages)
    first = (page - 1) * GRIDS[sheet].per_page
    (one,) = sheets(labels[first : first + GRIDS[sheet].per_page], sheet)
    return Response(svg(one), 200, headers, "image/svg+xml")


def _kind(row: DeviceRow) -> str:
    return row.device.kind.replace("_", " ") + (f" {row.port}" if row.port is not None else "")


def _rows(conn: Connection, request: Request, chosen: _Chosen) -> list[DeviceRow]:
    """The devices in order of ids, none of those removed; Problem where there is none, or more than a print takes."""
    scope = caller_of(request).scope(conn)
    if chosen.device_ids:
        found = [_one(conn, scope, chosen, index) for index in range(len(chosen.device_ids))]
    else:
        if chosen.place is None:
            raise invalid(chosen.under, "missing")
        path = SEPARATOR.join(place_of(conn, scope, chosen.place, chosen.under).path)
        found = _below(conn, scope, Scope((path,)), chosen)
    rows = [row for row in found if row.device.state is not DeviceState.REMOVED]
    if not rows:
        raise invalid(chosen.under, "no_labels")
    return rows


def _one(conn: Connection, scope: Scope, chosen: _Chosen, index: int) -> DeviceRow:
    wanted = chosen.device_ids[index]
    row = store.get(conn, wanted)
    if row is None or not may_see(conn, scope, row):
        unknown(wanted, chosen.pointer.format(index=index))
    return row


def _below(conn: Connection, scope: Scope, under: Scope, chosen: _Chosen) -> list[DeviceRow]:
    rows: list[DeviceRow] = []
    while len(rows) <= labels_at_once_max:
        after = rows[-1].id if rows else None
        found = store.page(conn, after, PAGE_ROWS_MAX, within=scope, wanted=Wanted(under=under))
        rows.extend(found)
        if len(found) < PAGE_ROWS_MAX:
            return rows
    raise invalid(chosen.under, "too_many_labels", max=labels_at_once_max)
