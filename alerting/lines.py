"""The telephones that have a call of ours, as far as this process knows. Never dials and never hangs up."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from alerting.core.lines import Line

listening_max = 4096


class Lines:
    """An attempt frees the line that it took, and no other. A phone may have two only where a call came to light late
    and its carrier cannot take it back."""

    def __init__(self) -> None:
        self._lines: dict[str, dict[str, Line]] = {}
        """Number -> attempt -> its line."""
        self._numbers: dict[str, str] = {}
        self._listening: dict[str, None] = {}

    def at(self, number: str, now: datetime) -> Line | None:
        """The newest call that this phone has; None when it is free."""
        for line in reversed(list(self._lines.get(number, {}).values())):
            if line.taken(now):
                return line
            self.free(line.attempt_id)
        return None

    def held(self) -> dict[str, str]:
        """Attempt -> number, of every call that has a line."""
        return dict(self._numbers)

    def take(self, number: str, line: Line) -> None:
        self._lines.setdefault(number, {})[line.attempt_id] = line
        self._numbers[line.attempt_id] = number

    def of(self, attempt_id: str) -> Line | None:
        """The line that this attempt has."""
        return self._lines.get(self._numbers.get(attempt_id, ""), {}).get(attempt_id)

    def free(self, attempt_id: str) -> bool:
        """Its call has ended, or never was. True when that freed a phone."""
        number = self._numbers.pop(attempt_id, None)
        if number is None:
            return False
        del self._lines[number][attempt_id]
        if self._lines[number]:
            return False
        del self._lines[number]
        return True

    def known_as(self, attempt_id: str, provider_ref: str) -> None:
        self._change(attempt_id, provider_ref=provider_ref)

    def answered(self, attempt_id: str) -> None:
        """Somebody listens, though no row may say so yet."""
        self._change(attempt_id, answered=True)
        self._listening[attempt_id] = None
        while len(self._listening) > listening_max:
            del self._listening[next(iter(self._listening))]

    def listens(self, attempt_id: str) -> bool:
        """Did somebody answer this call? Whoever has pressed a key hears what became of it."""
        return attempt_id in self._listening

    def hold(self, attempt_id: str, seconds: float, now: datetime) -> None:
        """Nobody knows whether it rings: for its ring time it could."""
        line = self.of(attempt_id)
        if line is not None:
            self._change(attempt_id, until=line.held_for(seconds, now).until)

    def lasts(self, attempt_id: str, until: datetime) -> None:
        """It is on: it has the phone until then at least. A hold was for what nobody knew."""
        line = self.of(attempt_id)
        if line is not None and line.until < until:
            self._change(attempt_id, until=until)

    def moved(self, by: timedelta) -> None:
        """The clock was set forward: a call lasts as long as before."""
        for attempt_id in list(self._numbers):
            line = self.of(attempt_id)
            if line is not None:
                self._change(attempt_id, until=line.until + by)

    def loaded(self, lines: Sequence[tuple[str, Line]]) -> None:
        """What a life before this one has left."""
        for number, line in lines:
            self.take(number, line)

    def _change(self, attempt_id: str, **values: object) -> None:
        line = self.of(attempt_id)
        if line is not None:
            self._lines[self._numbers[attempt_id]][attempt_id] = replace(line, **values)  # type: ignore[arg-type]
