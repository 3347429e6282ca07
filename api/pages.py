"""Cursor pages and JSON answers shared by all lists. Never runs a query."""

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Generic, TypeVar

import msgspec
from fastapi import Query, Response
from pydantic import BaseModel

from api.errors import invalid

limit_max = 500
limit_default = 100
cursor_chars_max = 256

Limit = Annotated[int, Query(ge=1, le=limit_max, description="Entries per page")]
Cursor = Annotated[str | None, Query(max_length=cursor_chars_max, description="`next` of the page before")]

T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)


class Page(BaseModel, Generic[M]):
    """One page; `next` is the cursor of the following one, null on the last."""

    items: list[M]
    next: str | None


def position(cursor: str | None) -> str | None:
    """What a cursor stands for; Problem 422 when it is none of ours."""
    if cursor is None:
        return None
    try:
        return base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise invalid("?cursor", "invalid", message="next") from None


def number_position(cursor: str | None) -> int | None:
    """A cursor over row numbers."""
    text = position(cursor)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise invalid("?cursor", "invalid", message="next")
    return int(text)


def cursor_at(key: str | int) -> str:
    return base64.urlsafe_b64encode(str(key).encode()).decode().rstrip("=")


def page(rows: Sequence[T], limit: int, show: Callable[[T], BaseModel], key: Callable[[T], str | int]) -> Response:
    """The first `limit` of `limit + 1` rows asked for; the extra row says that there is more."""
    shown = rows[:limit]
    following = cursor_at(key(shown[-1])) if len(rows) > limit else None
    return answer({"items": [show(row).model_dump(mode="json", by_alias=True) for row in shown], "next": following})


def answer(document: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON response without FastAPI's second validation."""
    return Response(msgspec.json.encode(document), status, dict(headers or {}), "application/json")
