"""Problems as RFC 9457 `application/problem+json`, in the caller's language. Never shows internals."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DBAPIError
from starlette.exceptions import HTTPException

from alerting.core.languages import PACKS
from alerting.core.policy import PolicyError
from alerting.ports import Conflict
from api.words import DETAILS, FIELDS, TITLES, say
from devices.model import Language

log = logging.getLogger("gengfu.api")

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:gengfu:problem:"
errors_max = 100
value_chars_max = 64
_STATUS_SLUGS = {
    400: "malformed",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method",
    413: "too_large",
}


@dataclass(frozen=True, slots=True)
class FieldError:
    """One field at fault. `pointer`: `#/name` in the body, `?limit` in the query, `If-Match` a header."""

    pointer: str
    code: str
    names: Mapping[str, object] = field(default_factory=dict)

    def document(self, language: Language) -> dict[str, str]:
        message = say(FIELDS.get(self.code, FIELDS["invalid"]), language, **{"message": "", **self.names})
        return {"pointer": self.pointer, "code": self.code, "message": message}


class Problem(Exception):
    """An expected refusal on its way to the caller. `slug` names the title, `detail` the sentence with the remedy."""

    def __init__(
        self,
        status: int,
        slug: str,
        detail: str | None = None,
        *,
        names: Mapping[str, object] | None = None,
        errors: Sequence[FieldError] = (),
        extra: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        sentence: tuple[str, str] | None = None,
    ) -> None:
        super().__init__(f"{status} {slug}")
        self.status = status
        self.slug = slug
        self.sentence = sentence or DETAILS.get(detail or slug, DETAILS["http"])
        self.names = names or {}
        self.errors = errors
        self.extra = extra or {}
        self.headers = dict(headers or {})

    def response(self, language: Language) -> Response:
        document: dict[str, Any] = {
            "type": TYPE_PREFIX + self.slug,
            "title": say(TITLES[self.slug], language),
            "status": self.status,
            "detail": say(self.sentence, language, **self.names),
            **self.extra,
        }
        if self.errors:
            document["errors"] = [error.document(language) for error in self.errors[:errors_max]]
        headers = {"content-language": language.value, **self.headers}
        if self.status == 401:
            headers["www-authenticate"] = "Bearer"
        return Response(msgspec.json.encode(document), self.status, headers, MEDIA_TYPE)


def not_found() -> Problem:
    """It does not exist, or the caller may not know that it does."""
    return Problem(404, "not_found")


def conflict(pointer: str, code: str, **names: object) -> Problem:
    """A body that is well formed and fits nothing: one field of it clashes with what exists."""
    return Problem(409, "conflict", errors=(FieldError(pointer, code, names),))


def invalid(pointer: str, code: str, **names: object) -> Problem:
    return Problem(422, "invalid", errors=(FieldError(pointer, code, names),))


def out_of_scope(pointer: str) -> Problem:
    """A new thing would lie outside what the caller may see: he must say where it lies."""
    return Problem(422, "invalid", errors=(FieldError(pointer, "out_of_scope", {}),))


def language_of(request: Request) -> Language:
    """The first of our languages in Accept-Language by its weight; Chinese where it names neither."""
    best, language = 0.0, Language.ZH_CN
    for part in request.headers.get("accept-language", "").split(",")[:20]:
        tag, _, parameters = part.strip().partition(";")
        weight = _weight(parameters)
        spoken = _ours(tag.strip().casefold())
        if spoken is not None and weight > best:
            best, language = weight, spoken
    return language


def _ours(tag: str) -> Language | None:
    """To the letter, else by the first part: `en-GB` is English."""
    whole = next((each for each in PACKS if each.casefold() == tag), None)
    return whole or next((each for each in PACKS if each[:2].casefold() == tag[:2]), None)


def _weight(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0


def from_validation(errors: Sequence[Any], in_body: bool = False) -> Problem:
    """pydantic's findings as one problem. `in_body`: their locations are relative to the body."""
    if any(error["type"] == "json_invalid" for error in errors):
        position = next(error["loc"][-1] for error in errors if error["type"] == "json_invalid")
        return Problem(400, "malformed", errors=(FieldError("#", "json_invalid", {"position": position}),))
    return Problem(422, "invalid", errors=tuple(_field_error(error, in_body) for error in errors))


def _field_error(error: Mapping[str, Any], in_body: bool) -> FieldError:
    location = tuple(error["loc"])
    place, path = ("body", location) if in_body else (location[0], location[1:])
    names = {key: value for key, value in (error.get("ctx") or {}).items() if isinstance(value, str | int | float)}
    kind: str = error["type"]
    if kind == "value_error":
        cause = (error.get("ctx") or {}).get("error")
        kind, names, path = _own(cause, names, path)
    elif kind.startswith(("datetime", "timezone")):
        kind = "datetime"
    elif "expected" in names:
        names["expected"] = str(names["expected"]).replace(" or ", ", ")
    elif kind not in FIELDS:
        kind, names = "invalid", {"message": str(error["msg"])[:value_chars_max]}
    return FieldError(_pointer(str(place), path), kind, names)


class FieldFault(ValueError):
    """Raised by our own validators: a code of `words.FIELDS`, and below which field."""

    def __init__(self, code: str, *path: str | int, **names: object) -> None:
        super().__init__(code)
        self.code = code
        self.path = path
        self.names = names


def _own(
    cause: object, names: dict[str, Any], path: tuple[str | int, ...]
) -> tuple[str, dict[str, Any], tuple[str | int, ...]]:
    match cause:
        case FieldFault():
            return cause.code, dict(cause.names), (*path, *cause.path)
        case PolicyError():
            return "policy", {"message": cause.message, "zh": cause.zh}, (*path, *cause.pointer.strip("/").split("/"))
        case _:
            return "invalid", {"message": str(cause)[:value_chars_max]}, path


def _pointer(place: str, path: Sequence[str | int]) -> str:
    if place == "body":
        escaped = (str(step).replace("~", "~0").replace("/", "~1") for step in path)
        return "#" + "".join(f"/{step}" for step in escaped)
    name = ".".join(str(step) for step in path)
    return f"?{name}" if place == "query" else name


def install(app: FastAPI) -> None:
    """Hang the handlers into an application."""

    async def on_problem(request: Request, error: Exception) -> Response:
        assert isinstance(error, Problem)
        return error.response(language_of(request))

    async def on_validation(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return from_validation(error.errors()).response(language_of(request))

    async def on_http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        slug = _STATUS_SLUGS.get(error.status_code, "http")
        return Problem(error.status_code, slug, headers=error.headers).response(language_of(request))

    async def on_conflict(request: Request, error: Exception) -> Response:
        return Problem(503, "unavailable", headers={"retry-after": "1"}).response(language_of(request))

    async def on_database(request: Request, error: Exception) -> Response:
        """U+0000 in an address: PostgreSQL knows no such text, so nothing is called so. Anything else is a crash."""
        if "0x00" not in str(getattr(error, "orig", "")):
            raise error
        return Problem(422, "invalid", errors=(FieldError("?", "nul", {}),)).response(language_of(request))

    async def on_crash(request: Request, error: Exception) -> Response:
        return Problem(500, "internal").response(language_of(request))

    app.add_exception_handler(Problem, on_problem)
    app.add_exception_handler(RequestValidationError, on_validation)
    app.add_exception_handler(HTTPException, on_http)
    app.add_exception_handler(Conflict, on_conflict)
    app.add_exception_handler(DBAPIError, on_database)
    app.add_exception_handler(Exception, on_crash)
