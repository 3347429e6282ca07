"""`python -m simulators.twilio`: the emulator as a process of its own; prints its address as one JSON line.

With --events it prints one JSON line per phone event after that. Ends on SIGTERM or SIGINT.
"""

import argparse
import asyncio
import sys
from pathlib import Path

from simulators.emulating.serve import print_line, serve_forever, wall_clock
from simulators.phone import PhoneEvent
from simulators.twilio.emulator import TwilioEmulator

account_sid_default = "AC" + "0" * 32
auth_token_default = "emulator-token"  # noqa: S105 - a made-up account on loopback


def _print_event(event: PhoneEvent) -> None:
    print_line(event)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m simulators.twilio", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 = any free one")
    parser.add_argument("--account-sid", default=account_sid_default)
    parser.add_argument("--auth-token", default=auth_token_default)
    parser.add_argument("--inbound-url", help="where replies of the phones are posted")
    parser.add_argument("--ledger", type=Path, help="one JSON line per create request")
    parser.add_argument("--no-fsync", action="store_true", help="do not wait for the disk at each line")
    parser.add_argument("--time-scale", type=float, default=1.0, help="0 = nothing waits")
    parser.add_argument("--speech-seconds-per-char", type=float, default=0.2)
    parser.add_argument("--calls-per-second", type=float, help="excess calls queue")
    parser.add_argument("--list-lag", type=float, default=0.0, help="seconds until lists show a new resource")
    parser.add_argument("--events", action="store_true", help="print what the phones live through")
    return parser.parse_args()


async def _run(arguments: argparse.Namespace) -> None:
    emulator = TwilioEmulator(
        account_sid=arguments.account_sid,
        auth_token=arguments.auth_token,
        clock=wall_clock,
        host=arguments.host,
        port=arguments.port,
        inbound_url=arguments.inbound_url,
        time_scale=arguments.time_scale,
        speech_seconds_per_char=arguments.speech_seconds_per_char,
        ledger_path=arguments.ledger,
        ledger_fsync=not arguments.no_fsync,
        calls_per_second=arguments.calls_per_second,
        list_lag_s=arguments.list_lag,
        on_event=_print_event if arguments.events else None,
    )
    told = {"account_sid": emulator.account_sid, "auth_token": arguments.auth_token}
    await serve_forever(emulator, told)


def main() -> None:
    """Entry point; on uvloop where there is one."""
    work = _run(_arguments())
    if sys.platform == "win32":
        asyncio.run(work)
    else:
        import uvloop

        uvloop.run(work)


if __name__ == "__main__":
    main()
