"""Stand-ins for outside services that nobody here wrote, from npm: installed once outside the repository, started per
test on loopback, ended by their own id."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from signal import SIGTERM

import pytest

from gengfu.broker import child as broker_child
from tests.support.processes import dies_with_parent, end

folder = Path(__file__).parents[1] / "judges"
scripts = ("loopback.cjs", "twilio.mjs", "push.cjs")
node_major_min = 20
install_seconds_max = 300.0
start_seconds_max = 20.0
tries_max = 3
"""Another process may take the free port before the judge does."""

Start = Callable[..., str]
"""`start(script, *arguments)`: starts a judge; its address."""


@pytest.fixture(scope="session")
def judges_folder() -> Path:
    """Where the judges are installed. Skips where Node 20 is missing, as that is no fault of ours."""
    if (major := _node_major()) < node_major_min:
        pytest.skip(f"the judges from npm need Node {node_major_min} or newer; here: {major or 'none'}")
    return installed()


@pytest.fixture
def start_judge(judges_folder: Path) -> Iterator[Start]:
    """Starts judges by the name of their script (`twilio.mjs`, `push.cjs`) and ends them after the test."""
    with ExitStack() as stack:
        yield lambda script, *arguments: stack.enter_context(running(judges_folder, script, *arguments))


def installed() -> Path:
    """`npm ci` into the user's cache, once for each lock file; several test processes wait for one another."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "gengfu"
    wanted = [folder / name for name in ("package.json", "package-lock.json", ".npmrc", *scripts)]
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in wanted)).hexdigest()[:16]
    place = cache / f"judges-{digest}"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "judges.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not place.is_dir():
            with tempfile.TemporaryDirectory(dir=cache) as raw:
                new = Path(raw) / "new"
                new.mkdir()
                for path in wanted:
                    shutil.copy(path, new)
                _run_npm(new)
                new.rename(place)
    return place


@contextmanager
def running(place: Path, script: str, *arguments: str) -> Iterator[str]:
    """One judge on a free loopback port; its address."""
    for _ in range(tries_max):
        port = broker_child.free_port()
        command = ["node", "--require", "./loopback.cjs", script, str(port), *arguments]
        process = subprocess.Popen(
            [*dies_with_parent("TERM"), *command], cwd=place, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        url = f"http://127.0.0.1:{port}"
        if _answers(process, url):
            break
        end(process, SIGTERM)
    else:
        raise RuntimeError(f"{script} did not start")
    try:
        yield url
    finally:
        end(process, SIGTERM)


def _answers(process: "subprocess.Popen[bytes]", url: str) -> bool:
    until = time.monotonic() + start_seconds_max
    while process.poll() is None and time.monotonic() < until:
        try:
            urllib.request.urlopen(url, timeout=1).close()
        except urllib.error.HTTPError as answered:
            answered.close()
            return True
        except OSError:
            time.sleep(0.05)
        else:
            return True
    return False


def _run_npm(place: Path) -> None:
    done = subprocess.run(
        ["npm", "ci"], cwd=place, capture_output=True, text=True, timeout=install_seconds_max, check=False
    )
    if done.returncode:
        raise RuntimeError(f"npm ci of the judges failed: {done.stderr[-2000:]}")


def _node_major() -> int:
    if shutil.which("node") is None or shutil.which("npm") is None:
        return 0
    said = subprocess.run(["node", "--version"], capture_output=True, text=True, check=False).stdout
    major = said.strip().removeprefix("v").split(".")[0]
    return int(major) if major.isdecimal() else 0
