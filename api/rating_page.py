"""The page on which a household says by one tap whether it was satisfied, as HTML. Needs no script and loads nothing.

Names nobody and no place.
"""

import base64
from collections.abc import Mapping
from hashlib import sha256
from html import escape

from fastapi import Response

from alerting.core.languages import PACKS
from devices.model import Language

ANSWERS: Mapping[str, bool] = {"satisfied": True, "not_satisfied": False}
"""What the form sends."""
_STYLE = (
    "body{font:1.2rem/1.5 sans-serif;max-width:30rem;margin:2rem auto;padding:0 1rem}"
    "button{font:inherit;display:block;width:100%;margin:1rem 0;padding:1rem;border:1px solid #444;border-radius:.5rem}"
    "button[aria-pressed=true]{background:#dff0d8;border-width:3px}"
)
_STYLE_HASH = base64.b64encode(sha256(_STYLE.encode()).digest()).decode()
_HEADERS = {
    "content-security-policy": f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "x-robots-tag": "noindex",
}


def rating_page(language: Language, answered: bool | None, *, thanked: bool = False, status: int = 200) -> Response:
    """The question, with what was answered before. `thanked`: by this very form."""
    words = PACKS[language].rating_page
    named = {"satisfied": words.satisfied, "not_satisfied": words.not_satisfied}
    buttons = "".join(
        f"<button name=answer value={name} aria-pressed={'true' if answered is value else 'false'}>"
        f"{escape(named[name])}</button>"
        for name, value in ANSWERS.items()
    )
    thanks = f"<p role=status>{escape(words.thanks)}</p>" if thanked else ""
    return _page(language, f"{thanks}<p>{escape(words.question)}</p><form method=post>{buttons}</form>", status)


def gone_page(language: Language) -> Response:
    """Nobody's link, or one that is over: nobody learns which."""
    return _page(language, f"<p>{escape(PACKS[language].rating_page.gone)}</p>", 404)


def _page(language: Language, body: str, status: int) -> Response:
    title = escape(PACKS[language].rating_page.title)
    document = (
        f"<!doctype html><html lang={language}><head><meta charset=utf-8>"
        f"<meta name=viewport content='width=device-width'><title>{title}</title><style>{_STYLE}</style></head>"
        f"<body><main><h1>{title}</h1>{body}</main></body></html>"
    )
    return Response(document, status, headers=_HEADERS, media_type="text/html")
