"""Bodies of sessions, users and the audit."""

from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, SecretStr, StringConstraints, model_validator

from api.errors import FieldFault
from api.permissions import Role
from api.schemas.common import Body, Instant, Name, Reference, Shown, example
from devices.model import Language

password_chars_min, password_chars_max = 10, 128


def _long_enough(password: SecretStr) -> SecretStr:
    chars = len(password.get_secret_value())
    if not password_chars_min <= chars <= password_chars_max:
        raise FieldFault("password", min=password_chars_min, max=password_chars_max)
    return password


Login = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._@-]{1,63}$", to_lower=True)]
NewPassword = Annotated[SecretStr, AfterValidator(_long_enough)]
GivenPassword = Annotated[SecretStr, Field(max_length=password_chars_max)]


class LoginIn(Body):
    model_config = example({"login": "zhiban-1", "password": "correct horse 42"})

    login: Annotated[str, Field(min_length=1, max_length=64)]
    password: GivenPassword


class GrantIn(Body):
    """A role, below a place (id or code) or everywhere."""

    role: Role
    place_id: Reference | None = None


class GrantOut(Shown):
    role: Role
    place_id: str | None


class SessionOut(Shown):
    """Who the caller is. `csrf_token` goes into the header X-CSRF-Token of each request that changes something; a key
    has none and needs none."""

    user_id: str
    login: str | None
    name: str
    language: Language | None
    person_id: str | None
    via: str
    grants: list[GrantOut]
    created_at: Instant | None
    expires_at: Instant | None
    csrf_token: str | None


class UserIn(Body):
    """A login. Each grant is a role below a place, or everywhere without one. grid_worker needs `person_id`."""

    model_config = example({"login": "zhiban-1", "name": "值班员甲", "grants": [{"role": "operator"}]})

    login: Login
    name: Name
    language: Language = Language.ZH_CN
    person_id: Reference | None = None
    grants: Annotated[tuple[GrantIn, ...], Field(max_length=50)] = ()
    disabled: bool = False

    @model_validator(mode="after")
    def _worker_is_somebody(self) -> Self:
        if self.person_id is None and any(grant.role is Role.GRID_WORKER for grant in self.grants):
            raise FieldFault("role_needs_person", "person_id")
        return self


class UserNew(UserIn):
    """A login with its first password."""

    model_config = example(
        {
            "login": "zhiban-1",
            "name": "值班员甲",
            "password": "correct horse 42",
            "grants": [{"role": "operator"}],
        }
    )

    password: NewPassword


class UserOut(Shown):
    id: str
    login: str
    name: str
    language: Language
    person_id: str | None
    grants: list[GrantOut]
    disabled: bool
    created_at: Instant
    version: int


class PasswordIn(Body):
    """A new password. His own: with `current_password`, and from a session."""

    model_config = example({"password": "correct horse 42"})

    password: NewPassword
    current_password: GivenPassword | None = None


class AuditOut(Shown):
    id: int
    at: Instant
    actor_id: str
    actor: str
    via: str
    act: str
    kind: str
    object_id: str
    path: str | None
    detail: dict[str, Any]
    hash: str
