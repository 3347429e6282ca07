"""`gengfu webpush`: the key pair with which browsers are paged. Stores nothing: what is printed is shown once."""

import typer

from gengfu.cli import common

app = common.group("网页推送。 Web Push to browsers.")


@app.command(epilog="Example: gengfu webpush key")
def key() -> None:
    """生成密钥，只显示一次。 Make a private key for [webpush]; standard output is the key and nothing else.

    Put it into gengfu.toml ([webpush] private_key) or GENGFU_WEBPUSH__PRIVATE_KEY and keep it: with another one every
    browser has to subscribe again.
    """
    from alerting.channels.providers.webpush_settings import new_private_key

    typer.echo(new_private_key())
