"""Whether the broker's files say what the registry says, account by account. Changes nothing."""

import time
from collections.abc import Iterable
from pathlib import Path

from sqlalchemy import Connection

from devices.store import credentials
from gengfu.doctor_findings import Finding, fault_of, fine, names_shown_max
from gengfu.reading import UNREACHABLE, SchemaDiffers, read
from gengfu.settings_model import Settings

NAME = "accounts"
catch_up_s = 4.0
"""A running server writes what has just changed; only what stays different is a fault."""


def accounts_finding(settings: Settings) -> Finding:
    """Every device that may connect stands in the password file, with this hash, and nobody else does."""
    folder = settings.broker_files_dir
    assert folder is not None, "nobody asked for broker files"
    try:
        finding = read(settings.database, lambda conn: _compared(conn, settings, folder))
        if finding.ok:
            return finding
        time.sleep(catch_up_s)
        return read(settings.database, lambda conn: _compared(conn, settings, folder))
    except (SchemaDiffers, *UNREACHABLE):
        return fault_of(NAME, "not known without the database.")


def _compared(conn: Connection, settings: Settings, folder: Path) -> Finding:
    passwords = folder / "passwords"
    if not passwords.is_file():
        return fault_of(NAME, f"{passwords} is missing: run `gengfu broker files {folder}`.")
    try:
        with passwords.open(encoding="utf-8") as lines:
            return accounts_compared(lines, credentials.every(conn), _ours(settings), folder)
    except OSError as fault:
        return fault_of(NAME, f"{passwords} cannot be read ({fault.strerror or fault}).")


def _ours(settings: Settings) -> set[str]:
    """Accounts that are no device's."""
    service = settings.broker.username if settings.broker else None
    return {name for name in (service, *(source.account for source in settings.sources)) if name}


def accounts_compared(
    lines: Iterable[str], devices: Iterable[tuple[str, str]], ours: set[str], folder: Path
) -> Finding:
    """Judge the lines of a password file by the devices that may connect."""
    left = {line.rstrip("\n") for line in lines}
    left = {line for line in left if line.partition(":")[0] not in ours}
    count, missing = 0, []
    for device_id, credential_hash in devices:
        count += 1
        line = f"{device_id}:{credential_hash}"
        if line in left:
            left.remove(line)
        else:
            missing.append(device_id)
    if not missing and not left:
        return fine(NAME, f"The broker's files know the {count} devices that may connect.")
    stale = sorted({line.partition(":")[0] for line in left})
    parts = [
        f"{len(names)} {what} ({', '.join(names[:names_shown_max])})"
        for names, what in ((missing, "cannot connect"), (stale, "could although revoked or renewed"))
        if names
    ]
    remedy = f"is `gengfu serve` running, and may it write {folder}? Else run `gengfu broker files {folder}`."
    return fault_of(NAME, f"Older than the registry: {' and '.join(parts)}; {remedy}")
