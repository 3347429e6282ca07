"""Logins of people and what each may do. Nobody gives more than he holds: a role only below places within his scope. A
password is never shown.
"""

from dataclasses import replace
from datetime import datetime
from functools import partial

from fastapi import APIRouter, Request, Response
from sqlalchemy import Connection

from alerting.ports import Priority
from api import audit
from api.auth import GuardedRoute, Who
from api.callers import Caller
from api.deps import Deps, Use
from api.errors import conflict, invalid, not_found, out_of_scope
from api.idempotency import attempt
from api.pages import Cursor, Limit, Page, answer, limit_default
from api.permissions import PREFIX, Grant, Role
from api.references import person_id_of, place_of
from api.registry import Noun, create, list_page, patch_one, put_one, read_one
from api.rings import hash_key
from api.routes.sessions import grant_shown
from api.schemas.access import PasswordIn, UserIn, UserNew, UserOut
from api.schemas.common import Patch
from api.sessions import token_of
from api.store import sessions
from api.store import users as store
from api.store.users import User
from devices.model import Language
from devices.store import people
from devices.store.scope import Scope, common_path, path_of_place

router = APIRouter(prefix=f"{PREFIX}/users", tags=["users"], route_class=GuardedRoute)


@router.get("", response_model=Page[UserOut])
async def list_users(request: Request, use: Use, cursor: Cursor = None, limit: Limit = limit_default) -> Response:
    """Those all of whose grants, and the person they are, lie within the caller's scope."""
    return await list_page(request, use, _noun(use), cursor, limit, store.page)


@router.post("", status_code=201, response_model=UserOut)
async def create_user(body: UserNew, request: Request, use: Use) -> Response:
    password_hash = await use.logins.passwords.hash(body.password.get_secret_value())
    now = use.clock.now()
    blank = User(use.ids.uuid7(), "", "", "", password_hash, None, now, None, now)
    return await create(request, use, _noun(use), UserIn.model_validate(_without_password(body)), lambda conn: blank)


@router.get("/{id}", response_model=UserOut)
async def read_user(id: str, request: Request, use: Use) -> Response:
    return await read_one(request, use, _noun(use), id)


@router.put("/{id}", response_model=UserOut)
async def put_user(id: str, body: UserIn, request: Request, use: Use) -> Response:
    """A disabled user's sessions end: here at once, in other processes within five seconds."""
    response = await put_one(request, use, _noun(use), id, body)
    await _forget(use, id)
    return response


@router.patch("/{id}", response_model=UserOut)
async def patch_user(id: str, patch: Patch, request: Request, use: Use) -> Response:
    response = await patch_one(request, use, _noun(use), id, patch)
    await _forget(use, id)
    return response


@router.post("/{id}/password", response_model=UserOut)
async def set_password(id: str, body: PasswordIn, request: Request, use: Use, who: Who) -> Response:
    """Another password: his own with the current one, a user's by an administrator. The user's other sessions end."""
    himself = who.via == "session" and who.key_id == id
    user = await use.database.read(partial(_user_for, who=who, himself=himself, user_id=id))
    if himself:
        await _confirm(request, use, body, user)
    password_hash = await use.logins.passwords.hash(body.password.get_secret_value())
    kept = hash_key(use.secret_key, token_of(request)) if himself else None

    def work(conn: Connection) -> User:
        now = use.clock.now()
        _user_for(conn, who=who, himself=himself, user_id=id)
        store.set_password(conn, id, password_hash, now)
        store.end_sessions(conn, id, now, but=kept)
        audit.note(conn, request, use, "password", "users", id, path=_path(conn, user))
        fresh = store.get(conn, id)
        assert fresh is not None, "a row that was just written is there"
        return fresh

    fresh = await use.database.write(Priority.ADMINISTRATION, lambda conn: attempt(conn, work))
    await _forget(use, id)
    return answer(_shown(fresh).model_dump(mode="json"))


def _user_for(conn: Connection, *, who: Caller, himself: bool, user_id: str) -> User:
    """The user whose password is to be changed, when the caller may; Problem 404 otherwise."""
    user = store.get(conn, user_id)
    over = who.admitted(frozenset({Role.ADMINISTRATOR}))
    if user is None or not (himself or (over is not None and _inside(conn, over.scope(conn), user))):
        raise not_found()
    return user


async def _confirm(request: Request, deps: Deps, body: PasswordIn, user: User) -> None:
    if body.current_password is None:
        raise invalid("#/current_password", "missing")
    address = request.client.host if request.client else "-"
    if not await deps.logins.confirm(user, body.current_password.get_secret_value(), address):
        raise invalid("#/current_password", "wrong_password")


def _noun(deps: Deps) -> Noun[UserIn, User]:
    return Noun(
        name="users",
        model=UserIn,
        get=store.get,
        insert_many=store.insert_many,
        update_one=store.update_one,
        changed=partial(_changed, now=deps.clock.now()),
        shown=_shown,
        version=lambda user: user.version,
        path=_path,
        inside=_inside,
        scope_field="grants",
    )


def _changed(conn: Connection, scope: Scope, body: UserIn, before: User, *, now: datetime) -> User:
    holder = store.by_login(conn, body.login)
    if holder is not None and holder.id != before.id:
        raise conflict("#/login", "taken", value=body.login)
    return replace(
        before,
        login=body.login,
        name=body.name,
        language=body.language.value,
        person_id=person_id_of(conn, scope, body.person_id, "#/person_id"),
        grants=_granted(conn, scope, body),
        disabled_at=(before.disabled_at or now) if body.disabled else None,
        changed_at=now,
    )


def _granted(conn: Connection, scope: Scope, body: UserIn) -> tuple[Grant, ...]:
    given = []
    for index, grant in enumerate(body.grants):
        pointer = f"#/grants/{index}/place_id"
        if grant.place_id is None and not scope.everything:
            raise out_of_scope(pointer)
        place = None if grant.place_id is None else place_of(conn, scope, grant.place_id, pointer)
        given.append(Grant(grant.role, place.id if place else None))
    return tuple(sorted(set(given), key=lambda each: (each.role.value, each.place_id or "")))


def _inside(conn: Connection, scope: Scope, user: User) -> bool:
    """All that he may do, he may do within the scope, and he is nobody from elsewhere: whoever sets his password can
    sign in as him. Who may do nothing is seen by those who see everything."""
    if scope.everything:
        return True
    person = None if user.person_id is None else people.get(conn, user.person_id)
    if user.person_id is not None and not scope.covers(path_of_place(conn, person.place_id if person else None)):
        return False
    return bool(user.grants) and all(scope.covers(path_of_place(conn, grant.place_id)) for grant in user.grants)


def _path(conn: Connection, user: User) -> str | None:
    paths = [path_of_place(conn, grant.place_id) for grant in user.grants]
    known = [path for path in paths if path is not None]
    return common_path(known) if len(known) == len(paths) else None


async def _forget(deps: Deps, user_id: str) -> None:
    deps.sessions.forget_user(await deps.database.read(lambda conn: sessions.of_user(conn, user_id)))


def _without_password(body: UserNew) -> dict[str, object]:
    return body.model_dump(exclude={"password"})


def _shown(user: User) -> UserOut:
    return UserOut(
        id=user.id,
        login=user.login,
        name=user.name,
        language=Language(user.language),
        person_id=user.person_id,
        grants=[grant_shown(grant) for grant in user.grants],
        disabled=user.disabled_at is not None,
        created_at=user.created_at,
        version=user.version,
    )
