"""What devices can be made to do: who permits it, commands by hand, what became of each. Never decides what is sent."""

from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import Connection

from alerting.commands import ByHand
from alerting.core.commands import CommandState
from alerting.core.model import Action
from alerting.ports import Priority
from alerting.store import commands as store
from alerting.store import views
from alerting.store.commands import Command, Filter, Permission
from api import audit
from api.auth import GuardedRoute, Who, caller_of
from api.deps import Deps, Use
from api.errors import FieldError, Problem, conflict, not_found
from api.idempotency import Made, act_once
from api.pages import Cursor, Limit, Page, answer, limit_default, page, position
from api.permissions import PREFIX
from api.references import unknown
from api.registry import visible
from api.routes.devices import noun
from api.schemas.commands import ActionOut, ActionsIn, ActionsOut, CommandIn, CommandOut
from devices.model import DeviceState
from devices.store.devices import DeviceRow
from devices.store.scope import path_of_place

router = APIRouter(prefix=PREFIX, tags=["commands"], route_class=GuardedRoute)

Word = Annotated[str | None, Query(max_length=64)]
NOT_PERMITTED = 403
NOT_DECLARED = 409


@router.get("/devices/{id}/actions", response_model=ActionsOut)
async def read_actions(id: str, request: Request, use: Use) -> Response:
    """What this device can be made to do, and whether it may."""

    def work(conn: Connection) -> ActionsOut:
        return _actions(conn, visible(conn, request, noun(use), id).id)

    return answer((await use.database.read(work)).model_dump(mode="json"))


@router.put("/devices/{id}/actions", response_model=ActionsOut)
async def put_actions(id: str, body: ActionsIn, request: Request, use: Use) -> Response:
    """Permit or forbid, action by action. Only what its model or the device itself declares can be permitted."""

    def work(conn: Connection) -> ActionsOut:
        device = _commandable(conn, request, use, id)
        before = _actions(conn, id)
        for known in store.permissions(conn, id):
            wanted = _wanted(use, request, body, known)
            if wanted is None:
                continue
            if wanted.permitted and not wanted.declared:
                raise conflict(f"#/{known.action.value}/permitted", "action_not_declared", device=id)
            store.permit(conn, id, wanted)
        after = _actions(conn, id)
        detail = audit.changes(before.model_dump(mode="json"), after.model_dump(mode="json"))
        path = path_of_place(conn, device.place_id)
        audit.note(conn, request, use, "actions", "devices", id, path=path, detail=detail)
        return after

    return answer((await use.database.write(Priority.ADMINISTRATION, work)).model_dump(mode="json"))


@router.post("/devices/{id}/commands", status_code=202, response_model=CommandOut)
async def command_device(id: str, body: CommandIn, request: Request, use: Use, who: Who) -> Response:
    """By hand, for a reason. 202: it is committed, and sent until the device answers or it expires."""

    def look(conn: Connection) -> None:
        _commandable(conn, request, use, id)
        if body.incident is not None and not views.visible(conn, [body.incident], who.sight(conn)):
            unknown(body.incident, "#/incident")

    await use.database.read(look)

    def audited(conn: Connection, made: Command) -> None:
        act = "command" if made.state is CommandState.PLANNED else "command_refused"
        path = path_of_place(conn, visible(conn, request, noun(use), id).place_id)
        detail = {"command": made.id, "action": made.action.value, "args": made.args, "incident": made.incident_id}
        detail |= {"why": made.asked_why, "refused": made.reason}
        audit.note(conn, request, use, act, "devices", id, path=path, detail=detail)

    async def work() -> Made:
        wish = ByHand(id, body.action, body.args, body.reason, body.expires_s, body.incident)
        made = await use.service.commands.ask(wish, who.actor, audited)
        if made.state is CommandState.REFUSED:
            raise _refused(made)
        return Made(_shown(made).model_dump(mode="json"), 202, {"location": f"{PREFIX}/commands/{made.id}"})

    return (await act_once(request, use, work)).response()


@router.get("/commands", response_model=Page[CommandOut])
async def list_commands(
    request: Request,
    use: Use,
    device: Word = None,
    incident: Word = None,
    state: CommandState | None = None,
    cursor: Cursor = None,
    limit: Limit = limit_default,
) -> Response:
    """Newest first: those of the policies and those by hand, refused ones too."""
    before = position(cursor)

    def work(conn: Connection) -> list[Command]:
        return store.page(conn, Filter(device, incident, state, caller_of(request).scope(conn)), before, limit + 1)

    return page(await use.database.read(work), limit, _shown, lambda row: row.id)


@router.get("/commands/{id}", response_model=CommandOut)
async def read_command(id: str, request: Request, use: Use) -> Response:
    found = await use.database.read(lambda conn: store.seen(conn, id, caller_of(request).scope(conn)))
    if found is None:
        raise not_found()
    return answer(_shown(found).model_dump(mode="json"))


def _commandable(conn: Connection, request: Request, use: Deps, device_id: str) -> DeviceRow:
    """The device, within the caller's scope, if it is one that can be spoken to."""
    device = visible(conn, request, noun(use), device_id)
    if device.parent_id is not None:
        raise conflict("#", "port_not_commanded", station=device.parent_id)
    if device.device.state is DeviceState.REMOVED:
        raise conflict("#", "removed_not_commanded")
    return device


def _wanted(use: Deps, request: Request, body: ActionsIn, known: Permission) -> Permission | None:
    """What is to be known of one action; None: nothing was said of it."""
    said = body.of(known.action)
    if said is None:
        return None
    own = known.own if said.declared is None else said.declared
    permitted = known.permitted if said.permitted is None else said.permitted
    wanted = replace(known, own=own, permitted=permitted)
    if not wanted.declared and said.permitted is None:
        wanted = replace(wanted, permitted=False)
    if wanted.permitted != known.permitted:
        who, now = caller_of(request), use.clock.now()
        by, at = (who.key_id, now) if wanted.permitted else (None, None)
        wanted = replace(wanted, permitted_by=by, permitted_at=at)
    return wanted


def _actions(conn: Connection, device_id: str) -> ActionsOut:
    known = {each.action: each for each in store.permissions(conn, device_id)}
    return ActionsOut(
        device_id=device_id,
        cut_power=_action(known[Action.CUT_POWER]),
        sound_siren=_action(known[Action.SOUND_SIREN]),
    )


def _action(known: Permission) -> ActionOut:
    return ActionOut.model_validate(known, from_attributes=True)


def _refused(made: Command) -> Problem:
    """403: nobody permits it; 409: it cannot do so."""
    declared = made.reason != "not_declared"
    code = "action_not_permitted" if declared else "action_not_declared"
    fault = FieldError("#/action", code, {"device": made.device_id, "action": made.action.value})
    extra: dict[str, Any] = {"command": made.id}
    if declared:
        return Problem(NOT_PERMITTED, "forbidden", "action_forbidden", errors=(fault,), extra=extra)
    return Problem(NOT_DECLARED, "conflict", errors=(fault,), extra=extra)


def _shown(row: Command) -> CommandOut:
    return CommandOut.model_validate(row, from_attributes=True)
