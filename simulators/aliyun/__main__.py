"""`python -m simulators.aliyun`: the emulator as a process of its own; prints its address and keys as one JSON line.

What is registered comes from a JSON file: {"signs": [...], "numbers": [...], "texts": {code: text}, "speech": {...}}.
Ends on SIGTERM or SIGINT.
"""

import argparse
import asyncio
import json
from pathlib import Path

from simulators.aliyun.catalog import Registered
from simulators.aliyun.emulator import AliyunEmulator
from simulators.emulating.serve import serve_forever, wall_clock

key_id_default = "emulator"
key_secret_default = "emulator-secret"  # noqa: S105 - a made-up account on loopback


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m simulators.aliyun", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 = any free one")
    parser.add_argument("--access-key-id", default=key_id_default)
    parser.add_argument("--access-key-secret", default=key_secret_default)
    parser.add_argument("--registered", type=Path, help="signatures, caller numbers and templates")
    parser.add_argument("--push", action="append", default=[], metavar="KIND=URL", help="sms, voice or up")
    parser.add_argument("--ledger", type=Path, help="one JSON line per create request")
    parser.add_argument("--time-scale", type=float, default=1.0, help="0 = nothing waits")
    return parser.parse_args()


def _register(emulator: AliyunEmulator, path: Path) -> None:
    told = json.loads(path.read_text(encoding="utf-8"))
    catalog = emulator.catalog
    catalog.signs |= {name: Registered("") for name in told.get("signs", [])}
    catalog.numbers |= set(told.get("numbers", []))
    catalog.texts |= {code: Registered(text) for code, text in told.get("texts", {}).items()}
    catalog.speech |= {code: Registered(text) for code, text in told.get("speech", {}).items()}


async def _run(arguments: argparse.Namespace) -> None:
    emulator = AliyunEmulator(
        access_key_id=arguments.access_key_id,
        access_key_secret=arguments.access_key_secret,
        clock=wall_clock,
        push=dict(each.split("=", 1) for each in arguments.push),
        host=arguments.host,
        port=arguments.port,
        time_scale=arguments.time_scale,
        ledger_path=arguments.ledger,
    )
    if arguments.registered is not None:
        _register(emulator, arguments.registered)
    keys = {"access_key_id": arguments.access_key_id, "access_key_secret": arguments.access_key_secret}
    await serve_forever(emulator, keys)


if __name__ == "__main__":
    asyncio.run(_run(_arguments()))
