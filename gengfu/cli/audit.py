"""`gengfu audit verify`: does the chain of the audit hold? Changes nothing, also beside a running service."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from gengfu.cli import common
from gengfu.cli.faults import FAULT, UsageError

app = common.group("审计记录。 The record of who did what.")


@app.callback()
def audit() -> None:
    pass


@app.command(epilog="Example: gengfu audit verify")
def verify(
    expect: Annotated[
        str | None,
        typer.Option(metavar="NUMBER:HASH", help="What an earlier run printed: that row must still have that hash."),
    ] = None,
) -> None:
    """校验审计链。 Follow the whole chain; print the number of rows and the last hash; exit code 1 where it is broken.

    Keep what it prints on another machine: whoever owns the database could write the whole chain anew, but not so that
    it ends in a hash that you know.
    """
    from devices.audit import Broken
    from devices.store import audit as store

    known = _expected(expect)
    told = common.settings()
    with _progress() as walked:
        try:
            count, last = common.read(told, lambda conn: store.verify(conn, walked, known))
        except Broken as broken:
            typer.echo(f"broken: {broken}", err=True)
            raise typer.Exit(FAULT) from None
    typer.echo(f"{count}:{last}")


def _expected(text: str | None) -> tuple[int, str] | None:
    if text is None:
        return None
    found = re.fullmatch(r"(\d{1,18}):([0-9a-f]{64})", text)
    if found is None:
        raise UsageError("--expect takes what an earlier run printed: NUMBER:HASH.")
    return int(found[1]), found[2]


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None] | None]:
    """A bar on a terminal, nothing elsewhere."""
    if not common.at_terminal():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("audit", total=None)
        yield lambda done, of: bar.update(task, completed=done, total=of)
