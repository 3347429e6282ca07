"""One look at the service over HTTP: does it answer, is it ready, do canary alarms come through? Changes nothing."""

import ssl
from collections.abc import Mapping
from typing import Any

import aiohttp

from gengfu.watchdog.judging import Cause, Seen

look_seconds_max = 5.0


async def look(session: aiohttp.ClientSession, url: str, tls: ssl.SSLContext | bool) -> Seen:
    """`url` is the service's address. Whatever is no answer of ours is silence."""
    timeout = aiohttp.ClientTimeout(total=look_seconds_max)
    try:
        async with session.get(f"{url}/readyz", timeout=timeout, ssl=tls, allow_redirects=False) as answer:
            told = await answer.json(content_type=None)
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
        return Seen(Cause.SILENT)
    parts = told.get("parts") if isinstance(told, Mapping) else None
    return Seen(Cause.SILENT) if not isinstance(parts, Mapping) else _read(told, parts)


def _read(told: Mapping[str, Any], parts: Mapping[str, Any]) -> Seen:
    count = told.get("violations")
    violations = count if isinstance(count, int) else None
    wrong = tuple(sorted(str(name) for name, state in parts.items() if state is not True and name != "canary"))
    if parts.get("canary", True) is not True:
        return Seen(Cause.CANARY, wrong, violations)
    if wrong == ("provider",):
        return Seen(Cause.ACCOUNT, wrong, violations)
    return Seen(Cause.NOT_READY if wrong else None, wrong, violations)
