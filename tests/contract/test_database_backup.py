"""A backup taken while the service writes comes back whole; what is no backup, or in use, is refused."""

import stat
from pathlib import Path

import pytest

from alerting.ports import Priority
from gengfu.database import DatabaseInUse, hold
from gengfu.database.backup import BackupFailed, backup, restore
from tests.contract.database_support import Opened, note


async def written(url: str, *words: str) -> None:
    opened = await Opened.open(url)
    for word in words:
        await opened.database.write(Priority.ALARM, note(word))
    await opened.database.close()


async def read(url: str) -> list[str]:
    opened = await Opened.open(url)
    found = await opened.words()
    await opened.database.close()
    return found


def files(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir() if file.is_file())


async def test_there_and_back(database_url: str, tmp_path: Path) -> None:
    opened = await Opened.open(database_url)
    await opened.database.write(Priority.ALARM, note("before"))
    backup(database_url, tmp_path / "backup")  # while it is open
    await opened.database.write(Priority.ALARM, note("after"))
    await opened.database.close()
    assert stat.S_IMODE((tmp_path / "backup").stat().st_mode) == 0o600
    restore(database_url, tmp_path / "backup")
    assert await read(database_url) == ["before"]
    assert files(tmp_path) == ["backup"]


async def test_a_backup_is_never_overwritten(database_url: str, tmp_path: Path) -> None:
    await written(database_url, "one")
    (tmp_path / "backup").write_text("an older one")
    with pytest.raises(BackupFailed, match="exists already"):
        backup(database_url, tmp_path / "backup")
    assert (tmp_path / "backup").read_text() == "an older one"


async def test_what_is_no_backup_is_refused(database_url: str, tmp_path: Path) -> None:
    await written(database_url, "kept")
    (tmp_path / "other").write_text("something else")
    with pytest.raises(BackupFailed, match="is no backup of a"):
        restore(database_url, tmp_path / "other")
    with pytest.raises(BackupFailed, match="does not exist"):
        restore(database_url, tmp_path / "missing")
    assert await read(database_url) == ["kept"]


async def test_a_damaged_backup_changes_nothing(database_url: str, tmp_path: Path) -> None:
    await written(database_url, *(f"word {number}" for number in range(20)))
    backup(database_url, tmp_path / "backup")
    whole = (tmp_path / "backup").read_bytes()
    (tmp_path / "damaged").write_bytes(whole[: len(whole) // 2])
    await written(database_url, "newest")
    with pytest.raises(BackupFailed):
        restore(database_url, tmp_path / "damaged")
    assert (await read(database_url))[-1] == "newest"


async def test_nobody_restores_under_a_running_server(sqlite_url: str, tmp_path: Path) -> None:
    await written(sqlite_url, "kept")
    backup(sqlite_url, tmp_path / "backup")
    with hold(sqlite_url, "serve"), pytest.raises(DatabaseInUse):
        restore(sqlite_url, tmp_path / "backup")


async def test_what_was_replaced_stays_beside_it(sqlite_url: str, tmp_path: Path) -> None:
    await written(sqlite_url, "old")
    backup(sqlite_url, tmp_path / "backup")
    await written(sqlite_url, "new")
    restore(sqlite_url, tmp_path / "backup")
    assert await read(sqlite_url) == ["old"]
    assert await read(f"{sqlite_url}.before-restore") == ["old", "new"]


def test_a_missing_database_has_no_backup(sqlite_url: str, tmp_path: Path) -> None:
    with pytest.raises(BackupFailed, match="does not exist"):
        backup(sqlite_url, tmp_path / "backup")
    assert files(tmp_path) == []


def test_missing_tools_are_named(postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BackupFailed, match="pg_dump is not installed"):
        backup(postgres_url, tmp_path / "backup")


async def test_why_the_tool_failed_is_told_without_the_password(postgres_url: str, tmp_path: Path) -> None:
    address = postgres_url.replace("gengfu@", "gengfu:hunter2@").replace("/test_", "/missing_")
    with pytest.raises(BackupFailed, match="does not exist") as failed:
        backup(address, tmp_path / "backup")
    assert "hunter2" not in str(failed.value)
    assert files(tmp_path) == []
