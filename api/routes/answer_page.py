"""The short answer page `/a/<token>`: a household says by one tap whether it was satisfied, a worker whether he goes or
that the daily message is there. A GET never answers (link previews fetch it); a form POST does. Works without script; a
household's names nobody and no place."""

from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import APIRouter, Path, Request, Response

from alerting.answer_links import test_token_chars, worker_token_chars
from alerting.link_answers import Choice
from api import self_test_link
from api.auth import GuardedRoute
from api.deps import Deps, Use
from api.errors import language_of
from api.rating_page import ANSWERS, gone_page, rating_page
from api.worker_page import worker_page

router = APIRouter(prefix="/a", tags=["answers"], route_class=GuardedRoute, include_in_schema=False)

CHOICES = frozenset(choice.value for choice in Choice)
fields_max = 8
Token = Annotated[str, Path(max_length=64)]


@router.get("/{token}")
async def show(token: Token, request: Request, use: Use) -> Response:
    """The question, with what was answered before."""
    language = language_of(request)
    if len(token) == worker_token_chars:
        sheet = await use.service.link_shown(token)
        return gone_page(language) if sheet is None else worker_page(sheet, use.timezone, use.language)
    if len(token) == test_token_chars:
        return await self_test_link.shown(token, use) or gone_page(language)
    told = await use.service.result_told(token)
    return gone_page(language) if told is None else rating_page(language, told.satisfied)


@router.post("/{token}")
async def answer(token: Token, request: Request, use: Use) -> Response:
    """One of the buttons; the last one counts."""
    language = language_of(request)
    if len(token) == worker_token_chars:
        return await _answer_of_worker(token, request, use)
    if len(token) == test_token_chars:
        return await self_test_link.tapped(token, await _field(request), use) or gone_page(language)
    satisfied = ANSWERS.get(await _field(request))
    if satisfied is None:
        told = await use.service.result_told(token)
        return gone_page(language) if told is None else rating_page(language, told.satisfied, status=422)
    told = await use.service.rate_result(token, satisfied)
    return gone_page(language) if told is None else rating_page(language, satisfied, thanked=True)


async def _answer_of_worker(token: str, request: Request, use: Deps) -> Response:
    said = await _field(request)
    known = said in CHOICES
    sheet = await (use.service.link_answered(token, Choice(said)) if known else use.service.link_shown(token))
    if sheet is None:
        return gone_page(language_of(request))
    return worker_page(sheet, use.timezone, use.language, choose=not known)


async def _field(request: Request) -> str:
    try:
        form = dict(parse_qsl((await request.body()).decode("ascii"), max_num_fields=fields_max))
    except ValueError:
        return ""
    return form.get("answer", "")
