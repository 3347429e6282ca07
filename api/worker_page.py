"""A worker's answer page as HTML: what, where, when, and three large buttons. Needs no script and loads nothing.

Never shows a number and never answers by itself: link previews fetch it.
"""

import base64
from hashlib import sha256
from html import escape

from fastapi import Response

from alerting.core.languages import PACKS, guidance, label, named
from alerting.core.maps import link, point_of, service_for
from alerting.core.messages import local_time
from alerting.link_answers import Choice, Sheet, Standing, Told
from devices.model import Language
from devices.taxonomy import TAXONOMY

_STYLE = (
    "*{box-sizing:border-box}"
    "body{font:1.15rem/1.5 system-ui,sans-serif;margin:0;background:#f4f4f2;color:#161616}"
    "main{max-width:32rem;margin:0 auto;padding:1rem}"
    "section{background:#fff;border-radius:.75rem;padding:1rem;border-top:.5rem solid #b3261e}"
    "section.drill{border-top-color:#3f6f9f}"
    "h1{font-size:1.6rem;line-height:1.25;margin:0 0 .5rem;color:#b3261e}h1::first-letter{text-transform:uppercase}"
    ".drill h1{color:#2f5f8f}"
    ".place{font-size:1.4rem;font-weight:700;margin:.25rem 0;overflow-wrap:anywhere}"
    "p{margin:.5rem 0}"
    ".facts{color:#444}"
    ".status{font-weight:700;border-left:.35rem solid #555;padding:.35rem .75rem;background:#eee;border-radius:.25rem}"
    ".status.good{border-color:#1e6b34;background:#e4f3e8}"
    "a.map{display:block;padding:.75rem;text-align:center;border:2px solid #555;border-radius:.75rem;color:#161616}"
    "button{font:inherit;font-weight:700;display:block;width:100%;min-height:3.75rem;margin:.75rem 0 0;padding:.75rem;"
    "border:2px solid #555;border-radius:.75rem;background:#fff;color:#161616}"
    "button.going{font-size:1.4rem;min-height:5rem;background:#1e6b34;border-color:#1e6b34;color:#fff}"
)
_STYLE_HASH = base64.b64encode(sha256(_STYLE.encode()).digest()).decode()
HEADERS = {
    "content-security-policy": f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "x-robots-tag": "noindex",
}
_BUTTONS = {
    Standing.OPEN: (Choice.GOING, Choice.CANNOT, Choice.AGAIN),
    Standing.YOURS: (Choice.CANNOT,),
    Standing.TAKEN: (),
    Standing.OVER: (),
}


def worker_page(sheet: Sheet, timezone: str, deployment: Language, *, choose: bool = False) -> Response:
    """In the person's own language. `choose`: a form came that chose nothing."""
    asked = sheet.asked
    pack = PACKS[asked.language]
    body = (
        f"<section{' class=drill' if asked.drill else ''}>{_head(sheet)}{_facts(sheet, timezone, deployment)}</section>"
        f"{_status(sheet)}{_line(pack.worker_page.choose) if choose else ''}{_form(sheet)}"
    )
    document = (
        f"<!doctype html><html lang={asked.language}><head><meta charset=utf-8>"
        "<meta name=viewport content='width=device-width,initial-scale=1'><meta name=format-detection "
        f"content='telephone=no'><title>{escape(pack.product)}</title><style>{_STYLE}</style></head><body><main>{body}</main>"
        "</body></html>"
    )
    return Response(document, 422 if choose else 200, headers=HEADERS, media_type="text/html")


def _head(sheet: Sheet) -> str:
    asked = sheet.asked
    hazard = label(TAXONOMY[asked.code], asked.language)
    drill = f"{escape(PACKS[asked.language].words.drill)}: " if asked.drill else ""
    return f"<h1>{drill}{escape(hazard)}</h1><p class=place>{escape(named(asked.place, asked.language))}</p>"


def _facts(sheet: Sheet, timezone: str, deployment: Language) -> str:
    asked, words = sheet.asked, PACKS[sheet.asked.language].worker_page
    at = local_time(asked.opened_at, timezone).strftime("%H:%M")
    facts = (
        f"<p class=facts>{escape(words.when)} <b>{at}</b> · {escape(words.reference)} "
        f"<b>{escape(asked.reference)}</b></p>"
    )
    advice = guidance(TAXONOMY[asked.code], asked.language)
    if advice:
        facts += f"<p>{escape(advice)}</p>"
    point = point_of(asked.place.lat, asked.place.lon)
    if point is not None:
        url = escape(link(service_for(deployment), point, named(asked.place, asked.language)), quote=True)
        facts += f'<a class=map rel="noreferrer noopener" href="{url}">{escape(words.map)}</a>'
    return facts


def _status(sheet: Sheet) -> str:
    words = PACKS[sheet.asked.language].worker_page
    told = words.told.get(sheet.told) if sheet.told is not None and sheet.standing is Standing.OPEN else None
    lines = [_line(told)] if told else []
    if not told or sheet.told is Told.NOT_NOW:
        good = sheet.standing in (Standing.YOURS, Standing.TAKEN)
        standing = escape(words.standings[sheet.standing].format(name=sheet.asked.who_goes))
        lines.append(f"<p role=status class='status{' good' if good else ''}'>{standing}</p>")
    return "".join(lines)


def _form(sheet: Sheet) -> str:
    words = PACKS[sheet.asked.language].worker_page
    buttons = "".join(
        f"<button name=answer value={choice.value} class={choice.value}>{escape(words.choices[choice])}</button>"
        for choice in _BUTTONS[sheet.standing]
        if (choice, sheet.told) != (Choice.CANNOT, Told.DECLINED)
    )
    return f"<form method=post>{buttons}</form>" if buttons else ""


def _line(sentence: str) -> str:
    return f"<p role=status class=status>{escape(sentence)}</p>"
