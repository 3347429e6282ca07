"""Every codec, dialect, escalation rule and provider stands in its package's table: none is forgotten in a file."""

import importlib
import pkgutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from functools import partial
from types import ModuleType

import pytest

TABLED = ("devices.codecs", "devices.envelopes", "alerting.escalation", "alerting.channels.providers")
NOT_ROWS = {"base"}


def modules_of(value: object) -> Iterator[str]:
    """The modules that define a row: functions, classes, instances, or several of them in one."""
    if isinstance(value, ModuleType):
        yield value.__name__
    elif isinstance(value, partial):
        yield from modules_of(value.func)
    elif isinstance(value, type) or callable(value):
        yield getattr(value, "__module__", type(value).__module__)
    else:
        yield type(value).__module__
    if is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            yield from modules_of(getattr(value, field.name))
    elif isinstance(value, tuple | list | set | frozenset):
        for part in value:
            yield from modules_of(part)


def forgotten(package: str, rows: Iterable[object]) -> set[str]:
    """Files of the package that no row leads to. `twilio_settings` is a part of the row `twilio`."""
    named = {module for row in rows for module in modules_of(row)}
    location = importlib.import_module(package).__path__
    files = {entry.name for entry in pkgutil.iter_modules(location)} - NOT_ROWS
    tabled = {name for name in files if f"{package}.{name}" in named}
    return {name for name in files if not any(name == row or name.startswith(f"{row}_") for row in tabled)}


def rows_of(package: str) -> list[object]:
    """The values of a package's TABLE."""
    table: object = importlib.import_module(package).TABLE
    if isinstance(table, Mapping):
        return list(table.values())
    assert isinstance(table, tuple | list), f"{package}.TABLE is neither a mapping nor a sequence"
    return list(table)


@pytest.mark.parametrize("package", TABLED)
def test_every_file_is_in_its_table(package: str) -> None:
    rows = rows_of(package)
    assert rows, f"{package}.TABLE is empty"
    assert forgotten(package, rows) == set()


@pytest.mark.parametrize("package", TABLED)
def test_an_empty_table_would_be_noticed(package: str) -> None:
    assert forgotten(package, []) != set()
