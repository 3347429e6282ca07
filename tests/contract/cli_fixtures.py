"""Fixtures: a shell in a folder of its own, alone or with a migrated database. Holds no test."""

from pathlib import Path

import pytest

from tests.contract.cli_support import Shell

pytest_plugins = ["tests.contract.registry_fixtures"]


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """A shell in a folder of its own."""
    folder = tmp_path / "shell"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return Shell(folder)


@pytest.fixture
def upgraded(shell: Shell, migrated_url: str) -> Shell:
    """A shell with an empty database of the newest schema; runs the test on both databases."""
    return shell.use_database(migrated_url)


@pytest.fixture
def on_sqlite(shell: Shell, migrated_sqlite_url: str) -> Shell:
    """The same on SQLite only."""
    return shell.use_database(migrated_sqlite_url)
