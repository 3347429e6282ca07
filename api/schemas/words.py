"""The catalogue of words as the API shows it."""

from api.schemas.common import Shown
from devices.model import Channel, Language


class HazardWords(Shown):
    code: str
    label: str
    signal_class: str
    """A, S, T or I."""
    severity: int
    guidance: str
    """What to do on the spot, in one short line; may be empty."""


class TemplateWords(Shown):
    """A text that carriers register."""

    name: str
    channel: Channel
    variables: dict[str, int]
    """Each with the most characters that it takes, from left to right."""
    texts: dict[str, str]
    hashes: dict[str, str]
    """Both by vendor."""


class WordsOut(Shown):
    language: Language
    languages: list[Language]
    hazards: list[HazardWords]
    marks: dict[str, str]
    keys: str
    """What the keys of a call do."""
    templates: list[TemplateWords]
