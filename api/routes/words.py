"""The catalogue of words in one language, so that the console says what the phones say. Reads nothing and changes
nothing."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from alerting.core.languages import PACKS, guidance
from alerting.core.templates import TEMPLATES, Style, registered, text_hash
from api.auth import GuardedRoute, Who
from api.pages import answer
from api.permissions import PREFIX
from api.schemas.words import HazardWords, TemplateWords, WordsOut
from devices.model import Language
from devices.taxonomy import TAXONOMY

router = APIRouter(prefix=f"{PREFIX}/words", tags=["words"], route_class=GuardedRoute)


@router.get("", response_model=WordsOut)
async def read_words(
    who: Who,
    language: Annotated[Language, Query(description="of the sentences; without it Chinese")] = Language.ZH_CN,
) -> Response:
    """Hazards with the line for the spot, the marks of drills and tests, and the texts that carriers register."""
    pack = PACKS[language]
    words = pack.words
    shown = WordsOut(
        language=language,
        languages=list(PACKS),
        hazards=[
            HazardWords(
                code=code,
                label=pack.labels[code],
                signal_class=hazard.cls.value,
                severity=hazard.severity,
                guidance=guidance(hazard, language),
            )
            for code, hazard in TAXONOMY.items()
        ],
        marks={"drill": words.drill, "test": words.test, "maybe_test": words.maybe_test, "late": words.late},
        keys=words.speech.keys,
        templates=[
            TemplateWords(
                name=name,
                channel=template.channel,
                variables=dict(template.limits),
                texts={style.value: registered(name, language, style) for style in Style},
                hashes={style.value: text_hash(name, language, style) for style in Style},
            )
            for name, template in TEMPLATES.items()
        ],
    )
    return answer(shown.model_dump(mode="json"))
