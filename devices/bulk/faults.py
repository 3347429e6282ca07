"""What is wrong with a row, cell by cell, and the list of it, which is bounded. Pure; the words stand in `words`."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from devices.bulk.cells import letters
from devices.bulk.words import FAULTS, HINTS
from devices.model import Language

faults_listed_max = 10_000
warnings_listed_max = 1_000
value_chars_max = 64
near_max = 2_000
"""Among more known values than these nobody searches for the nearest one: it would take longer than the import."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One cell at fault. `row` counts from 1 and the header is row 1; `column` None: the whole row or sheet."""

    file: str
    sheet: str
    row: int
    column: int | None
    code: str
    names: Mapping[str, Any] = field(default_factory=dict)
    near: str | None = None
    """What was probably meant."""

    @property
    def cell(self) -> str:
        return f"{letters(self.column)}{self.row}" if self.column is not None else str(self.row)

    def document(self, language: Language) -> dict[str, Any]:
        """As it is shown: where, which, why, and what to do, in one language."""
        side = 0 if language is Language.ZH_CN else 1
        reason = FAULTS[self.code][side].format(**self.names)
        hint = HINTS["near"][side].format(near=self.near) if self.near else FAULTS[self.code][2 + side]
        return {
            "file": self.file,
            "sheet": self.sheet,
            "cell": self.cell,
            "code": self.code,
            "reason": reason,
            "suggestion": hint.format(**self.names) if not self.near else hint,
        }

    def sentence(self, language: Language) -> str:
        told = self.document(language)
        place = " ".join(part for part in (self.file, self.sheet, self.cell) if part)
        return f"{place}: {told['reason']} {told['suggestion']}".rstrip()


@dataclass(slots=True)
class Faults:
    """Everything found wrong: the first `faults_listed_max` listed, all counted; warnings change nothing."""

    listed: list[Fault] = field(default_factory=list)
    total: int = 0
    warnings: list[Fault] = field(default_factory=list)
    warnings_total: int = 0

    def add(self, fault: Fault) -> None:
        self.total += 1
        if len(self.listed) < faults_listed_max:
            self.listed.append(fault)

    def warn(self, fault: Fault) -> None:
        self.warnings_total += 1
        if len(self.warnings) < warnings_listed_max:
            self.warnings.append(fault)

    def in_order(self) -> list[Fault]:
        """By file, sheet and row."""
        return sorted(self.listed, key=lambda fault: (fault.file, fault.sheet, fault.row, fault.column or 0))


def short(value: object) -> str:
    """A value as it is quoted: one line, not longer than a person reads."""
    text = " ".join(str(value).split())
    return text if len(text) <= value_chars_max else text[: value_chars_max - 1] + "…"


def nearest(value: str, known: Iterable[str]) -> str | None:
    """The known value that looks most like this one, None where none does."""
    known = list(known)
    if len(known) > near_max:
        head = value[:3].lower()
        known = [each for each in known if each[:3].lower() == head][:near_max]
    found = get_close_matches(value, known, 1, 0.6)
    return found[0] if found else None
