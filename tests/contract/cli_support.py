"""Runs commands as a shell would, in this process: arguments and environment in, exit code and words out."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from typer.testing import CliRunner

from gengfu.cli.app import app
from gengfu.clock import RandomIds, SystemClock
from gengfu.database import migrate
from gengfu.database.common import parse
from gengfu.seed import seed
from simulators.city import load_city
from tests.support.mosquitto import BrokerUnderTest


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()


@dataclass(slots=True)
class Shell:
    """A working directory and an environment; `run` is a command line without `gengfu`."""

    folder: Path
    environ: dict[str, str] = field(default_factory=dict)

    def run(self, *words: str, stdin: bytes | None = None) -> Outcome:
        foreign = {name: None for name in os.environ if name.upper().startswith("GENGFU_")}
        done = CliRunner().invoke(app, list(words), input=stdin, env={**foreign, **self.environ})
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return Outcome(done.exit_code, done.stdout, done.stderr)

    def ok(self, *words: str, stdin: bytes | None = None) -> list[str]:
        """Run what must succeed; the lines it printed."""
        outcome = self.run(*words, stdin=stdin)
        assert outcome.code == 0, outcome
        return outcome.lines

    def refusal(self, code: int, *words: str) -> str:
        """Run what must be refused with this exit code; the one sentence on stderr."""
        outcome = self.run(*words)
        assert (outcome.code, outcome.out) == (code, ""), outcome
        (sentence,) = outcome.err.splitlines()
        assert sentence.startswith("gengfu: "), sentence
        return sentence

    def use_database(self, url: str) -> Self:
        """Settings that name this database, and a secret key."""
        self.environ |= {"GENGFU_DATABASE_URL": url, "GENGFU_SECRET_KEY": "a secret key for this test"}
        return self

    @property
    def database_url(self) -> str:
        return self.environ["GENGFU_DATABASE_URL"]

    def use_broker(self, broker: BrokerUnderTest) -> None:
        """Log in to this broker as the service."""
        self.environ["GENGFU_BROKER_URL"] = broker.url()


def fill(url: str) -> None:
    """Put the demonstration city into a database."""
    migrate.run(parse(url), lambda conn: seed(conn, load_city(), now=SystemClock().now(), ids=RandomIds()))
