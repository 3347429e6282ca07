"""The tree of commands. Only names and help are loaded here: `gengfu --help` must answer at once."""

from typing import Annotated

import typer

from gengfu.cli import (
    audit,
    broker,
    db,
    decode,
    demo,
    device,
    doctor,
    key,
    registry,
    serve,
    simulate,
    templates,
    user,
    watchdog,
    webpush,
)
from gengfu.cli.faults import Group

app = typer.Typer(
    cls=Group,
    name="gengfu",
    help="更夫 Gengfu: from a detector's alarm to a person who answers. 小区告警调度：从探测器报警到有人应答。",
    epilog="Example: gengfu demo",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"gengfu {version('gengfu')}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and leave.")
    ] = False,
) -> None:
    pass


demo.add_to(app)
serve.add_to(app)
decode.add_to(app)
doctor.add_to(app)
templates.add_to(app)
app.add_typer(simulate.app, name="simulate")
app.add_typer(db.app, name="db")
app.add_typer(key.app, name="key")
app.add_typer(user.app, name="user")
app.add_typer(registry.app, name="registry")
app.add_typer(audit.app, name="audit")
app.add_typer(device.app, name="device")
app.add_typer(broker.app, name="broker")
app.add_typer(watchdog.app, name="watchdog")
app.add_typer(webpush.app, name="webpush")
