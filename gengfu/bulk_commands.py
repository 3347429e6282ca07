"""Imports as commands of a running service's socket, and other commands held back while one is being written."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from devices.bulk.files import FileRefused
from devices.model import Language
from devices.store.imports import Importer, Upload
from devices.store.scope import EVERYTHING
from gengfu.bulk_gate import RegistryBusy
from gengfu.bulk_server import Imports
from gengfu.socket import CommandRefused, Handler

BEGIN = "registry.import"
REGISTRY_COMMANDS = ("device.enrol",)
"""What an import may not meet half-way."""


def with_imports(commands: Mapping[str, Handler], desk: Imports) -> dict[str, Handler]:
    """The commands with `registry.import` among them: args files [[path, name]], dry_run, by, language."""

    async def begin(args: dict[str, Any]) -> dict[str, Any]:
        files = tuple((Path(path), str(name)) for path, name in args["files"])
        by = str(args.get("by") or "unknown")
        try:
            return {"id": await desk.begin(Upload(files, Importer(by, by, "cli"), EVERYTHING, bool(args["dry_run"])))}
        except FileRefused as refused:
            raise CommandRefused(refused.sentence(Language(args["language"]))) from None

    async def held_back(handler: Handler, args: dict[str, Any]) -> dict[str, Any]:
        try:
            with desk.writing():
                return await handler(args)
        except RegistryBusy:
            raise CommandRefused("A bulk import is being written: try again in a moment.") from None

    guarded = {
        name: partial(held_back, handler) if name in REGISTRY_COMMANDS else handler
        for name, handler in commands.items()
    }
    return {**guarded, BEGIN: begin}
