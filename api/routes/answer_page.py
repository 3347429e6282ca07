"""The short answer page `/a/<token>`: a household says by one tap whether it was satisfied, a worker whether he goes. A
GET never answers (link previews fetch it); a form POST does. Works without script; a household's names nobody and no
place.
"""

import base64
from hashlib import sha256
from html import escape
from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import APIRouter, Path, Request, Response

from alerting.answer_links import worker_token_chars
from alerting.link_answers import Choice
from api.auth import GuardedRoute
from api.deps import Deps, Use
from api.errors import language_of
from api.words import say
from api.words_people import ANSWER_PAGE
from api.worker_page import worker_page
from devices.model import Language

router = APIRouter(prefix="/a", tags=["answers"], route_class=GuardedRoute, include_in_schema=False)

CHOICES = frozenset(choice.value for choice in Choice)
ANSWERS = {"satisfied": True, "not_satisfied": False}
fields_max = 8
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
Token = Annotated[str, Path(max_length=64)]


@router.get("/{token}")
async def show(token: Token, request: Request, use: Use) -> Response:
    """The question, with what was answered before."""
    language = language_of(request)
    if len(token) == worker_token_chars:
        sheet = await use.service.link_shown(token)
        return _gone(language) if sheet is None else worker_page(sheet, use.timezone, use.language)
    told = await use.service.result_told(token)
    return _gone(language) if told is None else _page(language, _question(language, told.satisfied))


@router.post("/{token}")
async def answer(token: Token, request: Request, use: Use) -> Response:
    """One of the buttons; the last one counts."""
    language = language_of(request)
    if len(token) == worker_token_chars:
        return await _answer_of_worker(token, request, use)
    satisfied = ANSWERS.get(await _field(request))
    if satisfied is None:
        told = await use.service.result_told(token)
        return _gone(language) if told is None else _page(language, _question(language, told.satisfied), 422)
    told = await use.service.rate_result(token, satisfied)
    if told is None:
        return _gone(language)
    thanks = f"<p role=status>{escape(say(ANSWER_PAGE['thanks'], language))}</p>"
    return _page(language, thanks + _question(language, satisfied))


async def _answer_of_worker(token: str, request: Request, use: Deps) -> Response:
    said = await _field(request)
    known = said in CHOICES
    sheet = await (use.service.link_answered(token, Choice(said)) if known else use.service.link_shown(token))
    if sheet is None:
        return _gone(language_of(request))
    return worker_page(sheet, use.timezone, use.language, choose=not known)


async def _field(request: Request) -> str:
    try:
        form = dict(parse_qsl((await request.body()).decode("ascii"), max_num_fields=fields_max))
    except ValueError:
        return ""
    return form.get("answer", "")


def _question(language: Language, answered: bool | None) -> str:
    buttons = "".join(
        f"<button name=answer value={name} aria-pressed={'true' if answered is value else 'false'}>"
        f"{escape(say(ANSWER_PAGE[name], language))}</button>"
        for name, value in ANSWERS.items()
    )
    return f"<p>{escape(say(ANSWER_PAGE['question'], language))}</p><form method=post>{buttons}</form>"


def _gone(language: Language) -> Response:
    """Nobody's link, or one that is over: nobody learns which."""
    return _page(language, f"<p>{escape(say(ANSWER_PAGE['gone'], language))}</p>", 404)


def _page(language: Language, body: str, status: int = 200) -> Response:
    title = escape(say(ANSWER_PAGE["title"], language))
    document = (
        f"<!doctype html><html lang={language.value}><head><meta charset=utf-8>"
        f"<meta name=viewport content='width=device-width'><title>{title}</title><style>{_STYLE}</style></head>"
        f"<body><main><h1>{title}</h1>{body}</main></body></html>"
    )
    return Response(document, status, headers=_HEADERS, media_type="text/html")
