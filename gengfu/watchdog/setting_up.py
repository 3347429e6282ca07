"""From settings to what one watchdog needs to know. Opens nothing but a certificate file."""

import ssl

from gengfu.settings_model import Settings
from gengfu.settings_watchdog import WatchdogOptions
from gengfu.watchdog.judging import Rules
from gengfu.watchdog.running import Watch
from gengfu.watchdog.sending import Account


class NoWatchdog(Exception):
    """One sentence: none is configured, and the remedy."""


def watch_of(settings: Settings) -> Watch:
    """Raises NoWatchdog."""
    options = settings.watchdog
    if options is None:
        raise NoWatchdog(
            "No watchdog is configured: set GENGFU_WATCHDOG__PHONES and GENGFU_WATCHDOG__TWILIO__ACCOUNT_SID, "
            "__AUTH_TOKEN and __FROM_NUMBER of a second account."
        )
    return Watch(
        url=options.url or _own_address(settings),
        folder=settings.folder,
        account=Account(
            options.twilio.account_sid,
            options.twilio.auth_token.get_secret_value(),
            options.twilio.from_number,
            options.twilio.base_url,
        ),
        rules=Rules(options.phones, options.silent_s, options.repeat_s),
        every_s=options.every_s,
        instance=settings.instance,
        language=settings.language,
        zone=settings.zone,
        ping_url=options.ping_url,
        ping_every_s=options.ping_every_s,
        tls=_tls(settings, options),
    )


def _own_address(settings: Settings) -> str:
    """The service on this machine; one that listens everywhere is asked on the loopback."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.http_host, settings.http_host)  # noqa: S104
    shown = f"[{host}]" if ":" in host else host
    return f"{'https' if settings.http_tls_cert else 'http'}://{shown}:{settings.http_port}"


def _tls(settings: Settings, options: WatchdogOptions) -> ssl.SSLContext | bool:
    """Our own certificate is trusted under whatever name we reach it; somebody else's as usual."""
    if options.url is not None or settings.http_tls_cert is None:
        return True
    context = ssl.create_default_context(cafile=str(settings.http_tls_cert))
    context.check_hostname = False
    return context
