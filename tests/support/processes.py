"""Finds Debian's server programs and starts them; every process is ended by its own id."""

import os
import pwd
import shutil
import subprocess
from pathlib import Path

stop_seconds_max = 10.0


def dies_with_parent(signal: str) -> list[str]:
    """A prefix that ends the child with this signal when the test run itself is killed."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", signal, "--"] if setpriv else []


def unprivileged_user() -> pwd.struct_passwd | None:
    """Whom servers that refuse root run as; None when we are not root ourselves."""
    if os.getuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise RuntimeError("there is no unprivileged system account to run PostgreSQL as")


def postgresql_bin() -> Path:
    """The folder of the newest initdb and postgres on this machine."""
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parent.parent.name))
    if places:
        return places[-1].parent
    found = shutil.which("initdb")
    if found is None:
        raise RuntimeError("PostgreSQL is not installed; `scripts/setup test` installs it")
    return Path(found).resolve().parent


def end(process: subprocess.Popen[bytes], signal: int) -> None:
    """Send a signal, wait, and kill what does not end."""
    if process.poll() is not None:
        return
    process.send_signal(signal)
    try:
        process.wait(stop_seconds_max)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
