"""TwiML: reads a voice document and says what is heard next and what is fetched next.

Pure: never waits, never speaks HTTP. Rules after Twilio's TwiML Voice reference.
"""

import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

document_chars_max = 65_536
loops_max = 1_000  # loop="0" means "until the caller hangs up"
gather_timeout_default_s = 5.0
keys_known = frozenset("0123456789*#")


class TwimlError(ValueError):
    """The document cannot be carried out; Twilio would read out an application error and hang up."""


@dataclass(frozen=True, slots=True)
class Say:
    """Words, spoken."""

    text: str
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Play:
    """A recording, or keys sent as tones."""

    url: str


@dataclass(frozen=True, slots=True)
class Pause:
    """Silence."""

    seconds: float


Sound: TypeAlias = Say | Play | Pause


@dataclass(frozen=True, slots=True)
class Gather:
    """Listens for keys while its prompts are spoken and for `timeout_s` after them."""

    prompts: tuple[Sound, ...] = ()
    num_digits: int | None = None
    timeout_s: float = gather_timeout_default_s
    finish_on_key: str = "#"
    action: str | None = None
    method: str = "POST"
    on_empty: bool = False
    hears_keys: bool = True


@dataclass(frozen=True, slots=True)
class Redirect:
    """Carry on with another document."""

    url: str
    method: str = "POST"


@dataclass(frozen=True, slots=True)
class Hangup:
    """End the call; Reject ends an already answered call just the same."""


Verb: TypeAlias = Sound | Gather | Redirect | Hangup


@dataclass(frozen=True, slots=True)
class Fetch:
    """Ask for the next document. url None = the current document's own address."""

    url: str | None
    method: str = "POST"
    digits: str | None = None


@dataclass(frozen=True, slots=True)
class Listen:
    """A Gather is open; `rest` is what follows when it ends empty."""

    gather: Gather
    rest: tuple[Verb, ...]


class EndReason(StrEnum):
    """Why the document ends the call."""

    HANGUP = "hangup"
    DOCUMENT_END = "document_end"


@dataclass(frozen=True, slots=True)
class End:
    """The call is over."""

    reason: EndReason


@dataclass(frozen=True, slots=True)
class Scene:
    """What is heard next, and what comes after it."""

    sounds: tuple[Sound, ...]
    then: Fetch | Listen | End


def begin(verbs: tuple[Verb, ...]) -> Scene:
    """Everything that is heard up to the next point where something is decided."""
    sounds: list[Sound] = []
    for index, verb in enumerate(verbs):
        match verb:
            case Say() | Play() | Pause():
                sounds.append(verb)
            case Gather():
                return Scene(tuple(sounds), Listen(verb, verbs[index + 1 :]))
            case Redirect(url, method):
                return Scene(tuple(sounds), Fetch(url, method))
            case Hangup():
                return Scene(tuple(sounds), End(EndReason.HANGUP))
    return Scene(tuple(sounds), End(EndReason.DOCUMENT_END))


def gathered(listen: Listen, digits: str) -> Scene:
    """What follows a Gather; digits "" = it ended empty. Without actionOnEmptyResult that falls through."""
    if digits or listen.gather.on_empty:
        return Scene((), Fetch(listen.gather.action, listen.gather.method, digits))
    return begin(listen.rest)


@dataclass(frozen=True, slots=True)
class Collected:
    """What a Gather took from the keys pressed; complete = it need not wait for its timeout."""

    digits: str
    left_over: str
    complete: bool


def collect(gather: Gather, keys: str) -> Collected:
    """Feed keys to an open Gather."""
    if not gather.hears_keys:
        return Collected("", keys, False)
    digits = ""
    for index, key in enumerate(keys):
        if key in gather.finish_on_key:
            return Collected(digits, keys[index + 1 :], True)
        digits += key
        if len(digits) == gather.num_digits:
            return Collected(digits, keys[index + 1 :], True)
    return Collected(digits, "", False)


def parse(document: str) -> tuple[Verb, ...]:
    """Read a voice document. Raises TwimlError for what is not TwiML or not known here."""
    return tuple(verb for element in _response(document) for verb in _verbs(element))


def messages(document: str) -> tuple[str, ...]:
    """The texts that an answer to an inbound SMS wants sent back."""
    return tuple(_text(element) for element in _response(document) if element.tag == "Message")


def spoken(document: str) -> str:
    """All words of a document, for a ledger; not in the order of a call."""
    return " ".join(_text(element) for element in _response(document).iter("Say"))


def _response(document: str) -> ElementTree.Element:
    if len(document) > document_chars_max:
        raise TwimlError(f"document is longer than {document_chars_max} characters")
    if "<!DOCTYPE" in document or "<!ENTITY" in document:
        raise TwimlError("a document type has no place in TwiML")
    try:
        root = ElementTree.fromstring(document.strip())  # noqa: S314 - no entities: refused two lines above
    except ElementTree.ParseError as error:
        raise TwimlError(f"not XML: {error}") from error
    if root.tag != "Response":
        raise TwimlError(f"root is <{root.tag}>, not <Response>")
    return root


def _verbs(element: ElementTree.Element) -> Iterator[Verb]:
    match element.tag:
        case "Gather":
            yield _gather(element)
        case "Redirect":
            yield Redirect(_text(element), _method(element))
        case "Hangup" | "Reject":
            yield Hangup()
        case _:
            yield from _sounds(element)


def _sounds(element: ElementTree.Element) -> Iterator[Sound]:
    match element.tag:
        case "Say":
            sound: Sound = Say(_text(element), element.get("language"))
        case "Play":
            sound = Play(_text(element) or f"tones:{element.get('digits', '')}")
        case "Pause":
            yield Pause(_seconds(element, "length", 1.0))
            return
        case unknown:
            raise TwimlError(f"<{unknown}> is not known here")
    loops = _whole(element, "loop", 1)
    yield from [sound] * (loops or loops_max)


def _gather(element: ElementTree.Element) -> Gather:
    finish = element.get("finishOnKey", "#")
    if not keys_known.issuperset(finish):
        raise TwimlError(f"finishOnKey {finish!r} is no key")
    num_digits = _whole(element, "numDigits", None)
    if num_digits == 0:
        raise TwimlError("numDigits must be positive")
    auto = element.get("timeout") == "auto"
    return Gather(
        prompts=tuple(sound for child in element for sound in _sounds(child)),
        num_digits=num_digits,
        timeout_s=gather_timeout_default_s if auto else _seconds(element, "timeout", gather_timeout_default_s),
        finish_on_key=finish,
        action=element.get("action") or None,
        method=_method(element),
        on_empty=element.get("actionOnEmptyResult", "false").lower() == "true",
        hears_keys="dtmf" in element.get("input", "dtmf").split(),
    )


def _text(element: ElementTree.Element) -> str:
    return " ".join("".join(element.itertext()).split())


def _method(element: ElementTree.Element) -> str:
    method = element.get("method", "POST").upper()
    if method not in ("GET", "POST"):
        raise TwimlError(f"method {method!r} is neither GET nor POST")
    return method


def _whole(element: ElementTree.Element, name: str, default: int | None) -> int | None:
    value = element.get(name)
    if value is None:
        return default
    if not value.isascii() or not value.isdigit():
        raise TwimlError(f"<{element.tag}> {name}={value!r} is no whole number")
    return int(value)


def _seconds(element: ElementTree.Element, name: str, default: float) -> float:
    whole = _whole(element, name, None)
    return default if whole is None else float(whole)
