"""`gengfu doctor`: one line for each thing that must be right. Changes nothing."""

import typer

from gengfu.cli import common
from gengfu.cli.faults import FAULT


def add_to(app: typer.Typer) -> None:
    app.command("doctor", epilog="Example: gengfu doctor")(doctor)


def doctor() -> None:
    """体检。 Check broker, database, clock, providers, addresses, roster and reachability; exit code 1 on any fault."""
    from gengfu.doctor import examine

    findings = examine(common.settings())
    for finding in findings:
        typer.echo(f"{'ok' if finding.ok else 'fault':<5}  {finding.name:<9}  {finding.sentence}")
    if not all(finding.ok for finding in findings):
        raise typer.Exit(FAULT)
