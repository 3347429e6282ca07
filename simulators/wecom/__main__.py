"""`python -m simulators.wecom`: the emulator as a process of its own; prints its address as one JSON line.

`GET /_emulator/cards` shows the phones, `POST /_emulator/press` presses a button. Ends on SIGTERM or SIGINT.
"""

import argparse
import asyncio

from simulators.emulating.serve import serve_forever, wall_clock
from simulators.wecom.emulator import WecomEmulator
from simulators.wecom.sealing import Seal

corp_id_default = "ww0000000000000000"
agent_id_default = 1_000_001
secret_default = "emulator-secret"  # noqa: S105 - a made-up company on loopback
token_default = "emulator-token"  # noqa: S105
encoding_aes_key_default = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m simulators.wecom", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 = any free one")
    parser.add_argument("--corp-id", default=corp_id_default)
    parser.add_argument("--agent-id", type=int, default=agent_id_default)
    parser.add_argument("--secret", default=secret_default)
    parser.add_argument("--token", default=token_default)
    parser.add_argument("--encoding-aes-key", default=encoding_aes_key_default)
    parser.add_argument("--callback-url", help="http://127.0.0.1:8000/callbacks/wecom/events")
    parser.add_argument("--time-scale", type=float, default=1.0, help="0 = nothing waits")
    return parser.parse_args()


async def _run(arguments: argparse.Namespace) -> None:
    emulator = WecomEmulator(
        corp_id=arguments.corp_id,
        agent_id=arguments.agent_id,
        secret=arguments.secret,
        seal=Seal(arguments.token, arguments.encoding_aes_key, arguments.corp_id),
        clock=wall_clock,
        callback_url=arguments.callback_url,
        host=arguments.host,
        port=arguments.port,
        time_scale=arguments.time_scale,
    )
    told = {"corp_id": arguments.corp_id, "agent_id": str(arguments.agent_id), "secret": arguments.secret}
    await serve_forever(emulator, told)


if __name__ == "__main__":
    asyncio.run(_run(_arguments()))
