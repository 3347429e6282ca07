"""`gengfu templates`: the texts to register with each carrier, with their hashes. Reads no settings and asks nobody."""

import json
from typing import Annotated

import typer


def add_to(app: typer.Typer) -> None:
    app.command("templates", epilog="Example: gengfu templates --vendor aliyun")(templates)


def templates(
    vendor: Annotated[str | None, typer.Option(metavar="aliyun|tencent", help="One vendor's only.")] = None,
    language: Annotated[str | None, typer.Option(metavar="zh-CN|en", help="One language only.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON array.")] = False,
) -> None:
    """模板文本，逐条提交审核。 Print the texts to register, letter by letter; put the ids you get into gengfu.toml.

    The hash is what `gengfu doctor` compares. The vendor adds your 【signature】: do not type it.
    """
    from alerting.core.templates import TEMPLATES, Style, registered, text_hash
    from devices.model import Language
    from gengfu.cli.faults import UsageError

    try:
        styles = list(Style) if vendor is None else [Style(vendor)]
        languages = list(Language) if language is None else [Language(language)]
    except ValueError as unknown:
        raise UsageError(f"{unknown}: --vendor aliyun or tencent, --language zh-CN or en") from None
    rows = [
        {
            "vendor": style.value,
            "language": spoken.value,
            "template": each.name,
            "hash": text_hash(each.name, spoken, style),
            "text": registered(each.name, spoken, style),
            "variables": dict(each.limits),
        }
        for style in styles
        for spoken in languages
        for each in TEMPLATES.values()
    ]
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=1))
        return
    for row in rows:
        typer.echo(f"{row['vendor']} {row['language']} {row['template']} {row['hash']}")
        typer.echo(f"  {row['text']}")
