"""What most commands begin with: settings, and a database to read or to write. Never prints a result."""

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import typer

from gengfu.cli.faults import CommandError

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from gengfu.settings_model import Settings

T = TypeVar("T")


def settings(warn: Callable[[str], None] | None = None) -> "Settings":
    """The settings in force; warnings go to stderr unless `warn` takes them."""
    from gengfu.settings import load_settings

    return load_settings(os.environ, Path.cwd(), warn=warn or note)


def note(sentence: str) -> None:
    """A sentence beside the result."""
    typer.echo(f"gengfu: {sentence}", err=True)


def group(help_text: str) -> typer.Typer:
    """A group of commands that shows its help when no command is named."""
    return typer.Typer(help=help_text, no_args_is_help=True, rich_markup_mode=None)


def read(told: "Settings", work: Callable[["Connection"], T]) -> T:
    """One read-only transaction; see `gengfu.reading.read`."""
    from gengfu import reading

    return reading.read(told.database, work)


def write(told: "Settings", command: str, args: Mapping[str, Any]) -> dict[str, Any]:
    """Carry out one of `gengfu.commands.COMMANDS`: here, or where SQLite is held by the service, through its socket."""
    from gengfu.database import DatabaseInUse, hold
    from gengfu.database.common import parse, sqlite_path
    from gengfu.socket import NotServed, ask, socket_path

    args = {**args, "by": account()}
    try:
        with hold(told.database, f"gengfu {command.replace('.', ' ')}"):
            return _write_here(told, command, args)
    except DatabaseInUse as busy:
        try:
            return ask(socket_path(sqlite_path(parse(told.database))), command, args)
        except NotServed:
            raise CommandError(str(busy)) from None


def _write_here(told: "Settings", command: str, args: Mapping[str, Any]) -> dict[str, Any]:
    from gengfu.clock import RandomIds, SystemClock
    from gengfu.commands import run
    from gengfu.database import migrate
    from gengfu.database.common import parse

    problem = migrate.check(told.database)
    if problem is not None:
        raise CommandError(problem)
    now, new_id = SystemClock().now(), RandomIds().uuid7
    return migrate.run(parse(told.database), lambda conn: run(command, conn, args, now, new_id))


def account() -> str:
    """Who is typing, for the audit: the account of the operating system."""
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):  # an account without a name
        return str(os.getuid())


def at_terminal() -> bool:
    """Whether a person is watching stderr."""
    return sys.stderr.isatty()
