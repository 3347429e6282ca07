"""Cursor pages by id, the same for every noun. Never counts, never skips by offset."""

from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select

PAGE_ROWS_MAX = 500
_S = TypeVar("_S", bound=Select[Any])


def after_id(query: _S, column: ColumnElement[Any], after: str | None, limit: int) -> _S:
    """The `limit` rows that follow `after` (None: from the start). One more than a page may be asked, to see an end."""
    if not 1 <= limit <= PAGE_ROWS_MAX + 1:
        raise ValueError(f"limit {limit} is not between 1 and {PAGE_ROWS_MAX}")
    query = query.order_by(column).limit(limit)
    return query if after is None else query.where(column > after)
