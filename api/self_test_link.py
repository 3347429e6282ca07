"""A self-test message is tapped by its link, from a work app: a page with one button. A GET taps nothing (link previews
fetch it); a form POST does. Needs no script, loads nothing, names nobody.
"""

import base64
from datetime import datetime
from hashlib import sha256
from html import escape

from fastapi import Response
from sqlalchemy import Connection

from alerting.core.languages import PACKS
from alerting.ports import Priority
from alerting.store import readiness as store
from alerting.store.readiness import Asked
from api.deps import Deps
from devices.audit import AuditEntry
from devices.model import Language
from devices.store import audit
from devices.store.scope import path_of_place

TAPPED = "tapped"
"""What the form sends."""
_STYLE = (
    "body{font:1.2rem/1.5 system-ui,sans-serif;max-width:30rem;margin:2rem auto;padding:0 1rem}"
    "button{font:inherit;font-weight:700;display:block;width:100%;min-height:4rem;margin:1rem 0;border:0;"
    "border-radius:.75rem;background:#1e6b34;color:#fff}"
)
_STYLE_HASH = base64.b64encode(sha256(_STYLE.encode()).digest()).decode()
_HEADERS = {
    "content-security-policy": f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "x-robots-tag": "noindex",
}


async def shown(token: str, use: Deps) -> Response | None:
    """The button, or that it was tapped; None for nobody's link, or that of an older message."""
    asked = await _asked(token, use)
    return None if asked is None else _page(asked.language, tapped=asked.tapped)


async def tapped(token: str, said: str, use: Deps) -> Response | None:
    """The button was tapped: committed when this returns. Again is harmless; None as above."""
    if said != TAPPED:
        asked = await _asked(token, use)
        return None if asked is None else _page(asked.language, tapped=asked.tapped, status=422)
    test_id, now = use.links.test_of(token), use.clock.now()
    if test_id is None:
        return None
    language = await use.database.write(Priority.ADMINISTRATION, lambda conn: _tap(conn, test_id, now))
    return None if language is None else _page(language, tapped=True)


async def _asked(token: str, use: Deps) -> Asked | None:
    test_id = use.links.test_of(token)
    return None if test_id is None else await use.database.read(lambda conn: store.asked_to_tap(conn, test_id))


def _tap(conn: Connection, test_id: str, now: datetime) -> Language | None:
    asked = store.asked_to_tap(conn, test_id)
    if asked is None:
        return None
    if not asked.tapped and store.tap_self_test(conn, asked.person_id, test_id, now):
        path, who = path_of_place(conn, asked.place_id), asked.person_id
        audit.record(
            conn, AuditEntry(now, who, asked.name, "service", "tap_self_test", "workers", who, path, {"how": "link"})
        )
    return asked.language


def _page(language: Language, *, tapped: bool, status: int = 200) -> Response:
    words = PACKS[language].probing
    title = escape(words.self_test_title)
    if tapped:
        body = f"<p role=status>{escape(words.self_test_tapped)}</p>"
    else:
        body = (
            f"<p>{escape(words.self_test_ask)}</p><form method=post>"
            f"<button name=answer value={TAPPED}>{escape(words.self_test_button)}</button></form>"
        )
    document = (
        f"<!doctype html><html lang={language.value}><head><meta charset=utf-8>"
        f"<meta name=viewport content='width=device-width,initial-scale=1'><title>{title}</title>"
        f"<style>{_STYLE}</style></head><body><main><h1>{title}</h1>{body}</main></body></html>"
    )
    return Response(document, status, headers=_HEADERS, media_type="text/html")
