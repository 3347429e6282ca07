"""What `gengfu user` writes, as transactions. Never sees a password, only its hash."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from alerting.ports import Conflict
from api.permissions import Grant, Role
from api.store import users
from api.store.users import User
from devices.store import people, places
from devices.store.scope import common_path, path_of_place
from gengfu.socket import CommandRefused

NewId = Callable[[], str]


def add(conn: Connection, args: Mapping[str, Any], now: datetime, new_id: NewId) -> dict[str, Any]:
    """args: login, name, language, password_hash, role, place and worker (code or id) or None."""
    if users.by_login(conn, args["login"]) is not None:
        raise CommandRefused(f"There is a login {args['login']} already: choose another one, or `gengfu user grant`.")
    person_id = None
    if args["worker"] is not None:
        person = people.find(conn, args["worker"])
        if person is None:
            raise CommandRefused(f"There is nobody with the code {args['worker']}: register the worker first.")
        person_id = person.id
    user = User(
        id=new_id(),
        login=args["login"],
        name=args["name"],
        language=args["language"],
        password_hash=args["password_hash"],
        person_id=person_id,
        created_at=now,
        disabled_at=None,
        changed_at=now,
        grants=(_grant(conn, args),),
    )
    users.insert_many(conn, [user])
    return _done(conn, user)


def grant(conn: Connection, args: Mapping[str, Any], now: datetime, _: NewId) -> dict[str, Any]:
    """args: login, role, place (code or id) or None."""
    user, wanted = _user(conn, args), _grant(conn, args)
    if wanted.role is Role.GRID_WORKER and user.person_id is None:
        raise CommandRefused(f"{user.login} is no registered person: a grid_worker login is made with --worker CODE.")
    return _change(conn, replace(user, grants=tuple(dict.fromkeys((*user.grants, wanted)))), now)


def revoke(conn: Connection, args: Mapping[str, Any], now: datetime, _: NewId) -> dict[str, Any]:
    """args: login, role, place (code or id) or None."""
    user, unwanted = _user(conn, args), _grant(conn, args)
    if unwanted not in user.grants:
        raise CommandRefused(f"{user.login} does not hold this: `gengfu user list` shows what he holds.")
    return _change(conn, replace(user, grants=tuple(each for each in user.grants if each != unwanted)), now)


def password(conn: Connection, args: Mapping[str, Any], now: datetime, _: NewId) -> dict[str, Any]:
    """args: login, password_hash. All sessions of the user end."""
    user = _user(conn, args)
    users.set_password(conn, user.id, args["password_hash"], now)
    users.end_sessions(conn, user.id, now)
    return _done(conn, user)


def disable(conn: Connection, args: Mapping[str, Any], now: datetime, _: NewId) -> dict[str, Any]:
    """args: login. His sessions end within five seconds everywhere."""
    user = _user(conn, args)
    return _change(conn, replace(user, disabled_at=user.disabled_at or now), now)


def enable(conn: Connection, args: Mapping[str, Any], now: datetime, _: NewId) -> dict[str, Any]:
    """args: login."""
    return _change(conn, replace(_user(conn, args), disabled_at=None), now)


def _user(conn: Connection, args: Mapping[str, Any]) -> User:
    user = users.by_login(conn, args["login"])
    if user is None:
        raise CommandRefused(f"There is no login {args['login']}: `gengfu user list` shows them.")
    return user


def _grant(conn: Connection, args: Mapping[str, Any]) -> Grant:
    if args["place"] is None:
        return Grant(Role(args["role"]))
    place = places.find(conn, args["place"])
    if place is None:
        raise CommandRefused(f"There is no place with the code {args['place']}: register the place first.")
    return Grant(Role(args["role"]), place.id)


def _change(conn: Connection, user: User, now: datetime) -> dict[str, Any]:
    if not users.update_one(conn, replace(user, changed_at=now)):
        raise Conflict(f"user {user.login}")
    return _done(conn, user)


def _done(conn: Connection, user: User) -> dict[str, Any]:
    paths = [path_of_place(conn, grant.place_id) for grant in user.grants]
    known = [path for path in paths if path is not None]
    return {"id": user.id, "path": common_path(known) if len(known) == len(paths) else None}
