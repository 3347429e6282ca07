"""Lists as one bound value or one result, so that a statement stays the same text for one id or a thousand.

Holds no query, and is the one place where the two databases are spoken to differently.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import ARRAY, ColumnElement, Dialect, String, bindparam
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import NullType, TypeDecorator, TypeEngine

_encode = msgspec.json.Encoder().encode


class Texts(TypeDecorator[Sequence[str]]):
    """A list of texts as a parameter: an array on PostgreSQL, a JSON text on SQLite."""

    impl = String
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return ARRAY(String()) if dialect.name == "postgresql" else String()

    def process_bind_param(self, value: Sequence[str] | None, dialect: Dialect) -> Any:
        assert value is not None
        return list(value) if dialect.name == "postgresql" else _encode(list(value)).decode()


class one_of(FunctionElement[bool]):
    """`one_of(column, "ids")`: the column is among the list bound as `ids`. May use the column's index."""

    name = "one_of"
    type: TypeEngine[Any] = NullType()  # with Boolean, SQLite would get `... = 1` and lose the index
    inherit_cache = True

    def __init__(self, column: ColumnElement[Any], parameter: str) -> None:
        super().__init__(column, bindparam(parameter, type_=Texts()))


@compiles(one_of)
def _default(element: one_of, compiler: SQLCompiler, **options: Any) -> str:
    column, values = (compiler.process(clause, **options) for clause in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({values}))"  # noqa: S608 - compiled clauses, no values


@compiles(one_of, "postgresql")
def _postgresql(element: one_of, compiler: SQLCompiler, **options: Any) -> str:
    column, values = (compiler.process(clause, **options) for clause in element.clauses)
    return f"{column} = ANY ({values})"


class joined_lines(FunctionElement[str]):
    """`joined_lines(text)`: the texts of all rows as one, a line each, in any order; NULL where there is none."""

    name = "joined_lines"
    type = String()
    inherit_cache = True


@compiles(joined_lines)
def _group_concat(element: joined_lines, compiler: SQLCompiler, **options: Any) -> str:
    return f"group_concat({compiler.process(element.clauses, **options)}, char(10))"


@compiles(joined_lines, "postgresql")
def _string_agg(element: joined_lines, compiler: SQLCompiler, **options: Any) -> str:
    return f"string_agg({compiler.process(element.clauses, **options)}, chr(10))"
