"""A private PostgreSQL cluster in a temporary folder; it never touches a server it did not start."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from gengfu.broker.child import free_port
from tests.support.processes import dies_with_parent, end, postgresql_bin, unprivileged_user

start_seconds_max = 30.0
start_tries_max = 3
HOST = "127.0.0.1"
SUPERUSER = "gengfu"


class PostgresCluster:
    """One server for a whole test run. Databases are made by copying a template, in some 50 ms."""

    def __init__(self) -> None:
        self._bin = postgresql_bin()
        self._user = unprivileged_user()
        self._folder = Path(tempfile.mkdtemp(prefix="gengfu-postgres-"))
        self._templates: set[str] = set()
        self._made = 0
        if self._user is not None:
            os.chown(self._folder, self._user.pw_uid, self._user.pw_gid)
        self._initdb()
        self.port, self._process = self._start()

    def url(self, database: str) -> str:
        """The SQLAlchemy address of a database of this cluster."""
        return f"postgresql+asyncpg://{SUPERUSER}@{HOST}:{self.port}/{database}"

    def create(self, template: str = "template0") -> str:
        """Make a fresh database and return its name. Nobody may be connected to the template."""
        self._made += 1
        name = f"test_{self._made}"
        self.run(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return name

    def template(self, name: str, build: Callable[[str], None]) -> str:
        """Make the template `name` once: an empty database, handed to `build` by its address."""
        if name not in self._templates:
            self.run(f'CREATE DATABASE "{name}" TEMPLATE template0')
            build(self.url(name))
            self._templates.add(name)
        return name

    def drop(self, database: str) -> None:
        """Remove a database, and whoever is still connected to it."""
        self.run(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')

    def run(self, statement: str, database: str = "postgres") -> str:
        """Run one statement through psql and return what it printed, bare."""
        done = subprocess.run(
            [str(self._bin / "psql"), "-XAtq", "-v", "ON_ERROR_STOP=1", *self._address(database), "-c", statement],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"{statement}: {done.stderr.strip()}")
        return done.stdout.strip()

    def close(self) -> None:
        """End the server and remove its folder."""
        end(self._process, signal.SIGINT)
        shutil.rmtree(self._folder)

    def kill(self) -> None:
        """SIGQUIT: the server goes down as in a crash, and `start_again` recovers from its log."""
        end(self._process, signal.SIGQUIT)

    def start_again(self) -> None:
        """Start after `kill`, on the same port."""
        self._process = self._spawn(self.port)
        if not self._ready(self._process, self.port):
            raise RuntimeError(self._log())

    def _address(self, database: str) -> list[str]:
        return ["-h", HOST, "-p", str(self.port), "-U", SUPERUSER, "-d", database]

    def _initdb(self) -> None:
        options = ["-A", "trust", "-U", SUPERUSER, "-E", "UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions"]
        done = self._as_user([str(self._bin / "initdb"), "-D", str(self._folder / "data"), *options])
        output, _ = done.communicate()
        if done.returncode != 0:
            raise RuntimeError(f"initdb failed: {output.decode(errors='replace')}")

    def _start(self) -> tuple[int, subprocess.Popen[bytes]]:
        for _ in range(start_tries_max):
            port = free_port()
            process = self._spawn(port)
            if self._ready(process, port):
                return port, process
            end(process, signal.SIGQUIT)
        raise RuntimeError(f"PostgreSQL did not start: {self._log()}")

    def _spawn(self, port: int) -> subprocess.Popen[bytes]:
        settings = {
            "listen_addresses": HOST,
            "port": port,
            "unix_socket_directories": "",
            "fsync": "on",
            "synchronous_commit": "on",
            "max_connections": 100,
            "shared_buffers": "64MB",
            "autovacuum_naptime": "5s",
            "timezone": "UTC",
        }
        options = [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]
        command = [str(self._bin / "postgres"), "-D", str(self._folder / "data"), *options]
        with (self._folder / "log").open("ab") as log:
            return self._as_user([*dies_with_parent("INT"), *command], log.fileno())

    def _as_user(self, command: list[str], output: int = subprocess.PIPE) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            command,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            user=None if self._user is None else self._user.pw_uid,
            group=None if self._user is None else self._user.pw_gid,
            extra_groups=None if self._user is None else [],
        )

    def _ready(self, process: subprocess.Popen[bytes], port: int) -> bool:
        deadline = time.monotonic() + start_seconds_max
        ask = [str(self._bin / "pg_isready"), "-q", "-h", HOST, "-p", str(port), "-U", SUPERUSER]
        while process.poll() is None and time.monotonic() < deadline:
            answered = subprocess.run(ask, check=False).returncode == 0
            if answered and process.poll() is None:
                return True
            time.sleep(0.05)
        return False

    def _log(self) -> str:
        return (self._folder / "log").read_text(errors="replace")[-2000:]
