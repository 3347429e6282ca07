"""`gengfu watchdog`: the process that pages the administrator on call when the service does not. Opens no database."""

import typer

from gengfu.cli import common
from gengfu.cli.faults import CommandError

app = typer.Typer(rich_markup_mode=None, invoke_without_command=True, epilog="Example: gengfu watchdog")


@app.callback()
def watchdog(ctx: typer.Context) -> None:
    """看门狗。 Watch the service; page the administrator on call by text and call when it is not well.

    Run it in a process of its own, best on another machine, with a second provider account ([watchdog] in gengfu.toml).
    """
    if ctx.invoked_subcommand is not None:
        return
    import asyncio

    from gengfu import logs
    from gengfu.clock import SystemClock
    from gengfu.watchdog.keeping import WatchdogRuns, only_one
    from gengfu.watchdog.running import run
    from gengfu.watchdog.setting_up import NoWatchdog, watch_of

    told = common.settings()
    logs.configure(told.log_format, told.log_level, secrets=told.secrets(), zone=told.zone)
    clock = SystemClock()
    try:
        watch = watch_of(told)
        with only_one(watch.folder):
            asyncio.run(run(watch, clock.now, clock.monotonic))
    except (NoWatchdog, WatchdogRuns) as refusal:
        raise CommandError(str(refusal)) from None


@app.command(epilog="Example: gengfu watchdog ack")
def ack() -> None:
    """已知悉。 Say that you know of the trouble: it is told no more until it is over."""
    from gengfu.watchdog.keeping import NoTrouble, acknowledge

    told = common.settings()
    try:
        state = acknowledge(told.folder)
    except NoTrouble as refusal:
        raise CommandError(str(refusal)) from None
    assert state.trouble is not None
    common.note(f"Acknowledged: {state.trouble.cause.value} since {state.trouble.began_at:%Y-%m-%d %H:%M:%S} UTC.")


@app.command(epilog="Example: gengfu watchdog test")
def test() -> None:
    """试呼。 Send every administrator on call one text and one call that say that they are a test."""
    import asyncio

    from gengfu.watchdog.running import send_test
    from gengfu.watchdog.setting_up import NoWatchdog, watch_of

    try:
        watch = watch_of(common.settings())
    except NoWatchdog as refusal:
        raise CommandError(str(refusal)) from None
    if not asyncio.run(send_test(watch)):
        raise CommandError("The provider accepted neither text nor call: check [watchdog.twilio].")
    common.note(f"The provider accepted a test for {len(watch.rules.phones)} number(s): see that it arrives.")
