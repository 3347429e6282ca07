"""`gengfu broker files`: mosquitto's configuration, password and ACL files. Never starts or stops a broker."""

from pathlib import Path
from typing import Annotated

import typer

from gengfu.cli import common

app = common.group("MQTT 代理。 The broker's files.")


@app.callback()
def broker() -> None:
    pass


@app.command(epilog="Example: gengfu broker files /etc/gengfu/broker --port 1883")
def files(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Where to write them.")],
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Where mosquitto listens on this machine.")] = None,
) -> None:
    """生成 mosquitto 配置、密码和权限文件。 Render mosquitto.conf, passwords and acl from settings and registry.

    The service's account is the one in GENGFU_BROKER_URL. A foreign source that has no login yet gets one, printed
    once. mosquitto reads passwords and acl again when it gets SIGHUP.
    """
    from devices.store import credentials
    from gengfu.broker_files import write_broker_files

    told = common.settings()
    written = common.read(
        told,
        lambda conn: write_broker_files(told, directory, credentials.every(conn), port=port, enrol_sources=True),
    )
    for login in written.fresh:
        typer.echo(f"username {login.username}\npassword {login.secret}")
    if written.left_out:
        common.note(f"Left out, as their names or hashes cannot stand there: {', '.join(written.left_out[:5])}.")
    common.note(f"{written.files.configuration}: {written.devices} devices, {len(told.sources)} sources.")
