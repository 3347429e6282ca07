"""`gengfu serve`: production. Refuses what cannot work in one sentence; the wiring is elsewhere."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from gengfu.cli import common
from gengfu.cli.faults import CommandError, UsageError

if TYPE_CHECKING:
    from gengfu.settings_model import Settings


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
    import logging

    from gengfu import logs

    warnings: list[str] = []
    told = common.settings(warnings.append)
    logs.configure(told.log_format, told.log_level, secrets=told.secrets(), zone=told.zone)
    for warning in warnings:
        logging.getLogger("gengfu.settings").warning("%s", warning)
    roles = frozenset(each.value for each in role or ServeRole)
    check(told, roles)
    from gengfu import bootstrap

    raise typer.Exit(bootstrap.run(told, roles))


def check(told: "Settings", roles: frozenset[str]) -> None:
    """Refuse a deployment that cannot work, before anything is opened."""
    from gengfu.database import migrate
    from gengfu.database.common import parse

    if ServeRole.GATEWAY in roles:
        if told.broker is None:
            raise UsageError("broker_url is missing: set GENGFU_BROKER_URL to mqtt://user:password@host:1883.")
        if told.broker.embedded:
            raise UsageError(
                "GENGFU_BROKER_URL is embedded:, which loses messages and is for `gengfu demo` only: "
                "install mosquitto, write its files with `gengfu broker files`, and name it as mqtt://..."
            )
    if parse(told.database).drivername == "sqlite" and roles != set(ServeRole):
        raise UsageError("--role needs PostgreSQL: on SQLite one process runs all roles; set GENGFU_DATABASE_URL.")
    problem = migrate.check(told.database)
    if problem is not None:
        raise CommandError(problem)
