"""Fixtures: an empty migrated registry of either kind with a folder for bulk files. Holds no test."""

from pathlib import Path

import pytest

from tests.contract.bulk_support import Bulk

pytest_plugins = ["tests.contract.registry_fixtures"]


@pytest.fixture
def bulk(migrated_url: str, tmp_path: Path) -> Bulk:
    """Runs the test twice: on SQLite and on PostgreSQL."""
    folder = tmp_path / "files"
    folder.mkdir()
    return Bulk(migrated_url, folder)


@pytest.fixture
def bulk_sqlite(migrated_sqlite_url: str, tmp_path: Path) -> Bulk:
    folder = tmp_path / "files"
    folder.mkdir()
    return Bulk(migrated_sqlite_url, folder)
