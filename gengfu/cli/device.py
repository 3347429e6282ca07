"""`gengfu device`: broker credentials. A secret is made here and shown once; only its hash is stored or sent."""

import json
import re
import secrets
from typing import TYPE_CHECKING, Annotated

import typer

from gengfu.cli import common
from gengfu.cli.faults import UsageError

if TYPE_CHECKING:
    from gengfu.settings_model import Settings

app = common.group("设备接入凭据。 Devices and their MQTT credentials.")

secret_bytes = 16


@app.command(epilog="Example: gengfu device enrol --id smoke-0001 --kind smoke_detector --place jd-hy-3-2-1201")
def enrol(
    device_id: Annotated[
        str | None, typer.Option("--id", help="4 to 64 letters, digits, - and _; also its MQTT username.")
    ] = None,
    kind: Annotated[
        str | None, typer.Option(help="smoke_detector, camera, charging_station ...; a model says it too.")
    ] = None,
    place: Annotated[str | None, typer.Option(help="Code of the place where it hangs.")] = None,
    model: Annotated[str | None, typer.Option(help="Code of its model.")] = None,
    label: Annotated[str | None, typer.Option(help="What the scanner read from its label; may stand for --id.")] = None,
    renew: Annotated[bool, typer.Option("--renew", help="Another secret for a device that has one.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON object.")] = False,
) -> None:
    """登记设备，凭据只显示一次。 Register a device and print its MQTT username and secret, this once."""
    from devices.envelopes.plain import DEVICE_ID
    from gengfu.accounts import other_accounts
    from gengfu.broker.files import hash_secret

    told = common.settings()
    taken = other_accounts(told)
    if device_id is None and label is None:
        raise UsageError("Name the device: --id NAME, or --label with what its label says.")
    if device_id is not None and (not re.fullmatch(DEVICE_ID, device_id) or device_id in taken):
        raise UsageError(f"{device_id} cannot name a device: 4 to 64 letters, digits, - and _, and no other account's.")
    if kind is None and model is None and label is None:
        raise UsageError("Say what it is: --model CODE, or --kind smoke_detector.")
    if kind is not None and not 1 <= len(kind) <= 32:
        raise UsageError("A kind has 1 to 32 characters.")
    secret = secrets.token_urlsafe(secret_bytes)
    asked = {"id": device_id, "kind": kind, "place": place, "model": model, "label": label, "renew": renew}
    args = {**asked, "accounts": sorted(taken), "credential_hash": hash_secret(secret)}
    username = common.write(told, "device.enrol", args)["id"]
    if as_json:
        typer.echo(json.dumps({"username": username, "password": secret}))
    else:
        typer.echo(f"username {username}\npassword {secret}")
    _tell_broker(told, "lets it in")


@app.command(epilog="Example: gengfu device revoke smoke-0001")
def revoke(device_id: Annotated[str, typer.Argument(metavar="ID", help="The device.")]) -> None:
    """撤销设备凭据。 The device may not connect any more."""
    told = common.settings()
    common.write(told, "device.revoke", {"id": device_id})
    typer.echo(f"revoked {device_id}")
    _tell_broker(told, "turns it away")


def _tell_broker(told: "Settings", so_that: str) -> None:
    """Write the broker's files again where it is known that they are ours to write."""
    if told.broker_files_dir is None:
        common.note(f"Run `gengfu broker files DIR` and have mosquitto read them, so that it {so_that}.")
        return
    from devices.store import credentials
    from gengfu.broker_files import write_broker_files

    folder = told.broker_files_dir
    common.read(told, lambda conn: write_broker_files(told, folder, credentials.every(conn)))
