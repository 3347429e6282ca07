"""`gengfu serve`: production. The wiring, and what it refuses, is elsewhere."""

from enum import StrEnum
from typing import Annotated

import typer

from gengfu.cli import common


class ServeRole(StrEnum):
    """The parts of the service that may run in processes of their own."""

    GATEWAY = "gateway"
    WORKER = "worker"
    API = "api"


def add_to(app: typer.Typer) -> None:
    app.command("serve", epilog="Example: gengfu serve --role gateway --role worker")(serve)


def serve(
    role: Annotated[
        list[ServeRole] | None, typer.Option(help="Run only this part; repeat it. Separate processes need PostgreSQL.")
    ] = None,
) -> None:
    """运行服务。 Receive alarms, call people, answer HTTP: all roles in one process unless named."""
    import gc
    import logging

    gc.disable()  # until everything is imported: nothing there is garbage, and a start is a fifth shorter
    from gengfu import logs

    warnings: list[str] = []
    told = common.settings(warnings.append)
    logs.configure(told.log_format, told.log_level, secrets=told.secrets(), zone=told.zone)
    for warning in warnings:
        logging.getLogger("gengfu.settings").warning("%s", warning)
    from gengfu import bootstrap

    raise typer.Exit(bootstrap.run(told, frozenset(each.value for each in role or ServeRole)))
