"""Replaces a file whole or not at all, and only by another content; never holds more of it than a block."""

import fcntl
import filecmp
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


def replace_file(path: Path, chunks: Iterable[str], group: int | None) -> bool:
    """Write `chunks` in the place of the file; False when it said so already, and was left alone.

    A reader, or a power cut, finds the old text or the new one, never a part. `group`: may read it too.
    """
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            for chunk in chunks:
                file.write(chunk)
            file.flush()
            if _same(path, Path(temporary), group):
                os.unlink(temporary)
                return False
            if group is not None:
                os.fchown(file.fileno(), -1, group)
                os.fchmod(file.fileno(), 0o640)
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
    _sync_folder(path.parent)
    return True


@contextmanager
def only_writer(folder: Path) -> Iterator[None]:
    """Wait until nobody else writes files into this folder, and keep others waiting.

    Whoever reads the registry in here writes something newer than whoever was in here before. A folder that is not
    there yet has no other writer.
    """
    if not folder.is_dir():
        yield
        return
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _same(path: Path, other: Path, group: int | None) -> bool:
    """The same content, for the same readers."""
    if not path.is_file():
        return False
    found = path.stat()
    readable = group is None or (found.st_gid == group and found.st_mode & 0o040 != 0)
    return readable and filecmp.cmp(path, other, shallow=False)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
