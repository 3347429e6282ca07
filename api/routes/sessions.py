"""Signing in, who am I, signing out. What a password is worth is decided in `api.logins`."""

from fastapi import APIRouter, Request, Response

from api.auth import GuardedRoute, Who, secret_of
from api.callers import Caller
from api.deps import Use
from api.errors import Problem, not_found
from api.pages import answer
from api.permissions import PREFIX, Grant
from api.rings import hash_key
from api.schemas.access import GrantOut, LoginIn, SessionOut
from api.sessions import SessionRing, check_origin, clear_cookie, csrf_token, set_cookie, token_of
from api.store.sessions import Session
from devices.model import Language

router = APIRouter(prefix=f"{PREFIX}/sessions", tags=["sessions"], route_class=GuardedRoute)


@router.post("", status_code=201, response_model=SessionOut)
async def sign_in(body: LoginIn, request: Request, use: Use) -> Response:
    """Sets the session's cookie. Five failures within 15 minutes, for a login or an address, lead to 429."""
    if use.insecure:
        raise Problem(403, "forbidden", "insecure")
    check_origin(request)
    address = request.client.host if request.client else "-"
    previous = token_of(request)
    done = await use.logins.sign_in(body.login, body.password.get_secret_value(), address, previous)
    if previous:
        use.sessions.forget(hash_key(use.secret_key, previous))
    shown = _shown(done.session, csrf_token(use.secret_key, done.token))
    response = answer(shown.model_dump(mode="json"), 201, {"location": f"{PREFIX}/sessions/current"})
    set_cookie(response, done.token, done.lives)
    return response


@router.get("/current", response_model=SessionOut)
async def who_am_i(request: Request, use: Use, who: Who) -> Response:
    """The caller with all his roles and places: of a session, or of a key."""
    ring, secret = secret_of(request)
    if not isinstance(ring, SessionRing):
        return answer(_of_key(who).model_dump(mode="json"))
    session = await ring.opened(secret)
    if session is None:
        raise Problem(401, "unauthorized", "bad_session")
    return answer(_shown(session, csrf_token(use.secret_key, secret)).model_dump(mode="json"))


@router.delete("/current", status_code=204)
async def sign_out(request: Request, use: Use, who: Who) -> Response:
    """The session ends on the server: its cookie opens nothing any more, wherever a copy of it is."""
    ring, secret = secret_of(request)
    if not isinstance(ring, SessionRing):
        raise not_found()
    await use.logins.sign_out(request, secret)
    ring.forget(hash_key(use.secret_key, secret))
    response = Response(status_code=204)
    clear_cookie(response)
    return response


def _shown(session: Session, csrf: str) -> SessionOut:
    return SessionOut(
        user_id=session.user_id,
        login=session.login,
        name=session.name,
        language=Language(session.language),
        person_id=session.person_id,
        via="session",
        grants=[grant_shown(grant) for grant in session.grants],
        created_at=session.created_at,
        expires_at=session.expires_at,
        csrf_token=csrf,
    )


def _of_key(who: Caller) -> SessionOut:
    return SessionOut(
        user_id=who.key_id,
        login=None,
        name=who.name,
        language=None,
        person_id=who.person_id,
        via=who.via,
        grants=[grant_shown(grant) for grant in who.grants],
        created_at=None,
        expires_at=None,
        csrf_token=None,
    )


def grant_shown(grant: Grant) -> GrantOut:
    return GrantOut(role=grant.role, place_id=grant.place_id)
