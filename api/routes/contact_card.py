"""What a worker needs to let our calls ring: the card with all our numbers, its QR code, the guide of his phone."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from alerting.core.languages import PACKS
from api.auth import GuardedRoute
from api.contact_card import ContactCard, qr_svg, vcard
from api.deps import Deps, Use
from api.errors import Problem, language_of
from api.pages import answer
from api.permissions import PREFIX
from api.phone_guides import steps_of
from api.schemas.readiness import GuideOut, GuidesOut
from devices.model import Language

router = APIRouter(prefix=PREFIX, tags=["readiness"], route_class=GuardedRoute)

Wanted = Annotated[Language | None, Query(description="By default the caller's (Accept-Language)")]


@router.get("/contact-card.vcf")
async def read_card(request: Request, use: Use, language: Wanted = None) -> Response:
    """vCard 3.0: every number from which we call or text, under one name."""
    text = vcard(_card(use), language or language_of(request))
    headers = {"content-disposition": 'attachment; filename="gengfu.vcf"'}
    return Response(text.encode(), 200, headers, "text/vcard; charset=utf-8")


@router.get("/contact-card.svg")
async def read_code(request: Request, use: Use, language: Wanted = None) -> Response:
    """The same as a QR code, to be printed or shown: any phone's camera offers to save it."""
    return Response(qr_svg(_card(use), language or language_of(request)), 200, media_type="image/svg+xml")


@router.get("/phone-guides", response_model=GuidesOut)
async def read_guides(request: Request) -> Response:
    """Per brand, step by step: save the card, let repeated calls ring, white list, messages, battery."""
    guides = PACKS[language_of(request)].guides
    items = [
        GuideOut(brand=brand, name=own.name, steps=list(steps_of(guides, brand)))
        for brand, own in guides.brands.items()
    ]
    return answer(GuidesOut(note=guides.note, items=items).model_dump(mode="json"))


def _card(deps: Deps) -> ContactCard:
    if not deps.card.numbers:
        raise Problem(404, "not_found", "no_numbers")
    return deps.card
