"""API keys: made, listed, revoked. A key's secret is shown once and never stored."""

import base64

from fastapi import APIRouter, Request, Response
from sqlalchemy import Connection

from alerting.ports import Priority
from api import audit
from api.auth import KEY_PREFIX, GuardedRoute, Who, hash_key
from api.deps import Deps, Use
from api.errors import conflict, invalid, not_found, out_of_scope
from api.idempotency import Made, fresh_nonce, make_once, nonce_key, secret_from
from api.pages import Cursor, Limit, Page, answer, limit_default, page, position
from api.permissions import PREFIX
from api.references import person_id_of, place_of
from api.schemas.admin import KeyIn, KeyMade, KeyOut
from api.store import keys as store
from api.store.keys import ApiKey
from devices.store.scope import SEPARATOR, path_of_place

router = APIRouter(prefix=f"{PREFIX}/api-keys", tags=["api-keys"], route_class=GuardedRoute)


@router.get("", response_model=Page[KeyOut])
async def list_keys(use: Use, who: Who, cursor: Cursor = None, limit: Limit = limit_default) -> Response:
    after = position(cursor)
    rows = await use.database.read(lambda conn: store.page(conn, after, limit + 1, who.scope(conn)))
    return page(rows, limit, _shown, lambda key: key.id)


@router.post("", status_code=201, response_model=KeyMade)
async def create_key(body: KeyIn, request: Request, use: Use, who: Who) -> Response:
    """The answer holds the key, this once. A repeat with the same Idempotency-Key shows the same key."""
    now, nonce = use.clock.now(), fresh_nonce()
    if body.expires_at is not None and body.expires_at <= now:
        raise invalid("#/expires_at", "past")

    def work(conn: Connection) -> Made:
        if store.name_taken(conn, body.name):
            raise conflict("#/name", "taken", value=body.name)
        scope = who.scope(conn)
        place = None if body.place_id is None else place_of(conn, scope, body.place_id, "#/place_id")
        if place is None and not scope.everything:
            raise out_of_scope("#/place_id")
        key = ApiKey(
            id=use.ids.uuid7(),
            name=body.name,
            role=body.role,
            key_hash=hash_key(use.secret_key, _secret(use, nonce)),
            person_id=person_id_of(conn, scope, body.person_id, "#/person_id"),
            place_id=place.id if place else None,
            created_at=now,
            expires_at=body.expires_at,
            revoked_at=None,
            last_used_at=None,
        )
        store.add(conn, key)
        document = _shown(key).model_dump(mode="json")
        path = SEPARATOR.join(place.path) if place else None
        audit.note(conn, request, use, "create", "api-keys", key.id, path=path, detail=document)
        return Made({**document, nonce_key: nonce}, headers={"location": f"{PREFIX}/api-keys/{key.id}"})

    made = await make_once(request, use, work)
    shown = dict(made.body)
    key = _secret(use, shown.pop(nonce_key))
    return answer(shown | {"key": key}, made.status, made.headers)


@router.post("/{id}/revoke", response_model=KeyOut)
async def revoke_key(id: str, request: Request, use: Use, who: Who) -> Response:
    """It opens nothing any more: here at once, in other processes within five seconds. Revoking twice is harmless."""
    now = use.clock.now()

    def work(conn: Connection) -> ApiKey | None:
        known = store.get(conn, id)
        if known is None or not who.scope(conn).covers(path_of_place(conn, known.place_id)):
            return None
        if known.revoked_at is None:
            store.revoke(conn, id, now)
            path = path_of_place(conn, known.place_id)
            audit.note(conn, request, use, "revoke", "api-keys", id, path=path, detail={"name": known.name})
        return store.get(conn, id)

    key = await use.database.write(Priority.ADMINISTRATION, work)
    if key is None:
        raise not_found()
    use.keys.forget(key.key_hash)
    return answer(_shown(key).model_dump(mode="json"))


def _secret(deps: Deps, nonce: str) -> str:
    return KEY_PREFIX + base64.urlsafe_b64encode(secret_from(deps, nonce)).decode().rstrip("=")


def _shown(key: ApiKey) -> KeyOut:
    return KeyOut(
        id=key.id,
        name=key.name,
        role=key.role,
        person_id=key.person_id,
        place_id=key.place_id,
        created_at=key.created_at,
        expires_at=key.expires_at,
        revoked_at=key.revoked_at,
        last_used_at=key.last_used_at,
    )
