"""`gengfu doctor`: one line for each thing that must be right. Changes nothing."""

import typer

from gengfu.cli import common
from gengfu.cli.faults import FAULT


def add_to(app: typer.Typer) -> None:
    app.command("doctor", epilog="Example: gengfu doctor")(doctor)


def doctor() -> None:
    """体检。 Check broker, database, clock, roster, workers, accounts, canary, watchdog; exit code 1 on a fault."""
    from gengfu.doctor import examine

    findings = examine(common.settings())
    for finding in findings:
        word = "fault" if not finding.ok else "warn" if finding.warns else "ok"
        typer.echo(f"{word:<5}  {finding.name:<9}  {finding.sentence}")
    if not all(finding.ok for finding in findings):
        raise typer.Exit(FAULT)
