"""The deployment's secret key: as set, or made once and kept in a file that only its owner may read. Never printed."""

import logging
import os
import secrets
import tempfile
from pathlib import Path

from gengfu.settings_model import Settings, secret_key_chars_min

logger = logging.getLogger(__name__)

key_bytes = 32


class SecretKeyUnreadable(Exception):
    """The file with the key cannot be used; the message is one sentence that does not show it."""


def key_file(settings: Settings) -> Path:
    """Where the key is kept while none is set: `<database>.key` beside SQLite's file, else `gengfu.key`."""
    from gengfu.database.common import parse, sqlite_path

    url = parse(settings.database)
    name = sqlite_path(url).name if url.drivername == "sqlite" else "gengfu"
    return settings.folder / f"{name}.key"


def secret_key(settings: Settings) -> str:
    """The key in force. Two processes that start at once without one end up with the same.

    Every process on one database needs the same key: on several machines, set it. Raises `SecretKeyUnreadable`.
    """
    if settings.secret_key is not None:
        return settings.secret_key.get_secret_value()
    file = key_file(settings)
    try:
        if not file.exists():
            _make(file)
        key = file.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as fault:
        why = fault.strerror if isinstance(fault, OSError) else "not a key"
        raise SecretKeyUnreadable(f"The secret key {file} cannot be used ({why}): set GENGFU_SECRET_KEY.") from None
    if len(key) < secret_key_chars_min:
        raise SecretKeyUnreadable(f"The secret key {file} is too short: restore it, or set GENGFU_SECRET_KEY.")
    return key


def _make(file: Path) -> None:
    """Write the whole file beside its place, then link it there: whoever is second keeps the first one's."""
    descriptor, part = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}-")
    try:
        os.write(descriptor, secrets.token_hex(key_bytes).encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    try:
        os.link(part, file)
        logger.info("made a secret key in %s; keep it with the backups", file)
    except FileExistsError:
        pass
    finally:
        os.unlink(part)
