"""Errors that a person is told in one sentence, without a traceback. Anything else is a bug and shows one."""

import sys
from typing import Any

import typer
from typer.core import TyperGroup

FAULT = 1
USAGE = 2


class CommandError(Exception):
    """Why the command was not carried out; the message is one sentence."""

    exit_code = FAULT


class UsageError(CommandError):
    """The command was called, or Gengfu is set up, in a way that cannot work."""

    exit_code = USAGE


class Group(TyperGroup):
    """The root of all commands: turns expected errors into a sentence on stderr and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except CommandError as error:
            _end(str(error), error.exit_code)
        except Exception as error:
            sentence = _expected(error)
            if sentence is None:
                raise
            _end(*sentence)


def _end(sentence: str, exit_code: int) -> None:
    typer.echo(f"gengfu: {sentence}", err=True)
    raise typer.Exit(exit_code)


def _expected(error: Exception) -> tuple[str, int] | None:
    """The sentence and exit code of an error that the modules below are documented to raise; they are loaded if so."""
    for module, name, exit_code in _EXPECTED:
        kind = getattr(sys.modules.get(module), name, None)
        if kind is not None and isinstance(error, kind):
            return str(error), exit_code
    if _is_database_error(error):
        from gengfu.reading import why

        return f"The database does not do as it should: {why(error)}.", FAULT
    if isinstance(error, OSError):
        place = f": {error.filename}" if error.filename else ""
        return f"{error.strerror or error}{place}.", FAULT
    return None


_EXPECTED = (
    ("gengfu.settings_faults", "SettingsError", USAGE),
    ("gengfu.secret_key", "SecretKeyUnreadable", USAGE),
    ("gengfu.socket", "CommandRefused", FAULT),
    ("gengfu.reading", "SchemaDiffers", FAULT),
    ("gengfu.database.lock", "DatabaseInUse", FAULT),
    ("gengfu.database.backup", "BackupFailed", FAULT),
    ("gengfu.broker.errors", "BrokerUnavailable", FAULT),
    ("gengfu.broker.errors", "BrokerFilesError", FAULT),
    ("simulators.scenario", "ScenarioError", USAGE),
)


def _is_database_error(error: Exception) -> bool:
    for module, name in (
        ("sqlalchemy.exc", "SQLAlchemyError"),
        ("asyncpg", "PostgresError"),
        ("asyncpg", "InterfaceError"),
    ):
        kind = getattr(sys.modules.get(module), name, None)
        if kind is not None and isinstance(error, kind):
            return True
    return False
