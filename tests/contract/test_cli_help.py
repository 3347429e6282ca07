"""Every command explains itself with an example, at once, and is refused in one sentence where it cannot work."""

import subprocess
import sys
from collections.abc import Iterator

import pytest
import typer

from gengfu.cli.app import app
from tests.contract.cli_support import Shell

pytest_plugins = ["tests.contract.cli_fixtures"]

HEAVY = ("aiohttp", "alembic", "asyncpg", "fastapi", "paho", "pydantic_settings", "rich", "sqlalchemy", "uvicorn")


def commands(here: typer.Typer, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The words of every command."""
    for command in here.registered_commands:
        assert command.callback is not None
        yield (*path, command.name or command.callback.__name__)
    for group in here.registered_groups:
        assert isinstance(group.typer_instance, typer.Typer)
        assert group.name is not None
        yield from commands(group.typer_instance, (*path, group.name))


EVERY = sorted(commands(app))


def test_the_commands_of_the_contract_are_there() -> None:
    wanted = {"demo", "serve", "decode", "doctor", "broker files", "db backup", "db check", "db restore", "db upgrade"}
    wanted |= {"device enrol", "device revoke", "key add", "key list", "key revoke"}
    wanted |= {"audit verify", "user add", "user disable", "user enable", "user grant", "user list", "user password"}
    wanted |= {"templates"}
    wanted |= {"watchdog ack", "watchdog test", "webpush key"}
    wanted |= {"user revoke", "registry export", "registry import"}
    wanted |= {"simulate city", "simulate fleet", "simulate scenario"}
    assert {" ".join(words) for words in EVERY} == wanted


@pytest.mark.parametrize("words", [*EVERY, ("watchdog",)], ids=" ".join)
def test_help_has_an_example_of_the_command_itself(shell: Shell, words: tuple[str, ...]) -> None:
    text = " ".join(shell.ok(*words, "--help"))
    assert f"Example: gengfu {' '.join(words)}" in text


def test_help_loads_nothing_heavy() -> None:
    program = f"import sys, gengfu.cli.app; print(*(set({HEAVY}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_settings_that_are_wrong_are_refused_by_every_command_that_needs_them(shell: Shell) -> None:
    shell.environ["GENGFU_DATABSE_URL"] = "x"
    for words in (["key", "list"], ["db", "check"], ["doctor"], ["serve"], ["simulate", "fleet"]):
        assert "GENGFU_DATABASE_URL" in shell.refusal(2, *words)


def test_a_database_without_schema_is_refused_with_the_remedy(shell: Shell) -> None:
    for words in (["key", "list"], ["db", "check"], ["key", "add", "--role", "viewer", "first"]):
        assert "gengfu db upgrade" in shell.refusal(1, *words)
    assert not (shell.folder / "gengfu.db").exists()


def test_a_database_out_of_reach_is_told_without_its_password(shell: Shell, free_port: int) -> None:
    shell.environ["GENGFU_DATABASE_URL"] = f"postgresql+asyncpg://gengfu:hush-hush@127.0.0.1:{free_port}/x"
    assert "hush" not in shell.refusal(1, "key", "list")
    shell.environ["GENGFU_DATABASE_URL"] = f"sqlite+aiosqlite:///{shell.folder}/no/folder/x.db"
    assert "folder" in shell.refusal(1, "db", "upgrade")


def test_serve_never_uses_the_embedded_broker(on_sqlite: Shell) -> None:
    environ = {**on_sqlite.environ, "GENGFU_BROKER_URL": "embedded:", "PATH": "/usr/bin:/bin"}
    serve = [sys.executable, "-m", "gengfu", "serve"]
    done = subprocess.run(serve, env=environ, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode != 0
    assert "embedded:" in done.stderr
    assert "Traceback" not in done.stderr


def test_version(shell: Shell) -> None:
    assert shell.ok("--version")[0].startswith("gengfu ")
