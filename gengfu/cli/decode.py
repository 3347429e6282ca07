"""`gengfu decode`: what a payload means, without a server, a database or settings. Never sends anything anywhere."""

from pathlib import Path
from typing import Annotated

import typer

from gengfu.cli.faults import UsageError


def add_to(app: typer.Typer) -> None:
    app.command("decode", epilog="Example: gengfu decode --topic gengfu/v1/smoke-0001/up/event alarm.json")(decode)


def decode(
    file: Annotated[str | None, typer.Argument(help="One payload as it was sent; - is standard input.")] = None,
    source: Annotated[str | None, typer.Option(metavar="DIALECT", help="The dialect; else inferred.")] = None,
    topic: Annotated[str, typer.Option(help="The topic it came on.")] = "",
    jsonl: Annotated[
        str | None, typer.Option(metavar="FILE", help='Many: a line {"source"?, "topic", "payload"} each; - as above.')
    ] = None,
) -> None:
    """解码报文。 Print a JSON object per message; one that cannot be read carries `error` (exit code 0)."""
    if (file is None) == (jsonl is None):
        raise UsageError("Name one payload FILE, or --jsonl FILE.")
    from gengfu.cli import decoding

    if file is not None:
        typer.echo(decoding.decode_payload(_read(file), topic, source))
        return
    assert jsonl is not None
    for line in _read(jsonl).splitlines():
        if line.strip():
            typer.echo(decoding.decode_line(line, topic, source))


def _read(name: str) -> bytes:
    if name == "-":
        return typer.get_binary_stream("stdin").read()
    path = Path(name)
    if not path.is_file():
        raise UsageError(f"{name} is no file.")
    return path.read_bytes()
