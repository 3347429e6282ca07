"""Tells a story on standard output: for people in colour, or one JSON object per step. Never decides what is right."""

import os
import sys
from collections.abc import Callable, Sequence
from typing import Protocol, TextIO

import msgspec
from rich import box
from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from gengfu.demo.cast import Cast
from gengfu.demo.judge import Difference
from gengfu.demo.lines import Line, Lines, sentence
from gengfu.demo.steps import Step, StepKind
from gengfu.demo.summary import Promise, Row, missed, rows, slowest_ms
from gengfu.demo.wrapping import wrap
from simulators.scenario import Scenario

time_cells = 10
who_cells_zh = 12
who_cells_en = 17
gap_cells = 2
frame_cells = 4
box_cells_max = 64


class Teller(Protocol):
    """Who tells the story. Each method returns at once."""

    def begin(self, scenario: Scenario) -> None: ...

    def warn(self, sentence: str) -> None: ...

    def steps(self, steps: Sequence[Step]) -> None: ...

    def summary(self, steps: Sequence[Step]) -> None: ...

    def so_far(self, seconds: float, nothing_else: bool) -> None: ...

    def verdict(self, differences: Sequence[Difference], ms: float, nothing_else: bool) -> None: ...

    def serving(self, url: str, key: str, ms: float) -> None: ...

    def end(self, log: str) -> None: ...


class JsonTeller:
    """One JSON object per step on `out`; whatever is not a step goes to standard error."""

    def __init__(self, cast: Cast, out: TextIO) -> None:
        self._cast = cast
        self._out = out

    def begin(self, scenario: Scenario) -> None:
        return

    def warn(self, sentence: str) -> None:
        sys.stderr.write(sentence + "\n")

    def steps(self, steps: Sequence[Step]) -> None:
        for step in steps:
            row = {
                "step": step.kind.value,
                "ms": round(step.ms, 1),
                "incident": step.incident,
                "recipient": step.recipient,
                "channel": step.channel,
                "text": step.text or None,
            }
            self._out.write(msgspec.json.encode(row).decode() + "\n")
        self._out.flush()

    def summary(self, steps: Sequence[Step]) -> None:
        return

    def so_far(self, seconds: float, nothing_else: bool) -> None:
        return

    def verdict(self, differences: Sequence[Difference], ms: float, nothing_else: bool) -> None:
        told = [
            Step(
                kind=StepKind.DIFFERENCE,
                ms=ms,
                recipient=each.who or None,
                channel=each.channel,
                text=sentence(each, self._cast),
            )
            for each in differences
        ]
        self.steps(told or [Step(kind=StepKind.HELD, ms=ms)])

    def serving(self, url: str, key: str, ms: float) -> None:
        self.steps([Step(kind=StepKind.SERVING, ms=ms, text=url)])
        self.warn(f"{self._cast.speaker.say('key_hint')} {key}")

    def end(self, log: str) -> None:
        if log:
            self.warn(self._cast.speaker.say("logs_at", path=log))


class PlainTeller:
    """Lines, boxes and a table, readable without colour."""

    def __init__(self, cast: Cast, console: Console) -> None:
        self._cast = cast
        self._speaker = cast.speaker
        self._lines = Lines(cast)
        self._console = console
        self._who_cells = who_cells_zh if cast.chinese else who_cells_en

    def begin(self, scenario: Scenario) -> None:
        zh = self._cast.chinese
        title = scenario.title if zh else scenario.title_en
        head = Text.assemble((self._speaker.say("demonstration"), "bold"), " · ", (title, "bold red"))
        self._console.print(head)
        self._print_text(scenario.summary if zh else scenario.summary_en)
        self._print_text(self._speaker.say("starting"), "dim")
        self._console.print()

    def warn(self, sentence: str) -> None:
        self._print_text(sentence, "yellow")

    def steps(self, steps: Sequence[Step]) -> None:
        for line in self._lines.of(steps):
            self._print(line)

    def summary(self, steps: Sequence[Step]) -> None:
        table = rows(steps)
        self._console.print()
        self._console.print(self._table(table))
        broken = missed(table)
        slowest = self._speaker.ms(slowest_ms(table))
        phrase, style = ("promise_broken", "bold red") if broken else ("promise_kept", "bold green")
        self._print_text(self._speaker.say(phrase, ms=slowest, missed=broken), style)
        taken = [step for step in steps if step.kind is StepKind.TAKEN]
        for step in taken:
            who = self._cast.person(step.recipient)
            self._print_text(self._speaker.say("goes", who=who, ms=self._speaker.ms(step.ms)), "bold")
        if not taken:
            self._print_text(self._speaker.say("nobody_goes"), "bold red")
        self._print_text(self._speaker.say("first_used"), "dim")
        self._console.print()

    def so_far(self, seconds: float, nothing_else: bool) -> None:
        phrase = "held_so_far" if nothing_else else "played_so_far"
        self._print_text(self._speaker.say(phrase, seconds=f"{seconds:g}"))

    def verdict(self, differences: Sequence[Difference], ms: float, nothing_else: bool) -> None:
        if not differences:
            phrase = self._speaker.say("held" if nothing_else else "held_loose")
            self._print_text(f"✓ {phrase}", "bold green")
            return
        self._print_text(f"✗ {self._speaker.say('failed')}", "bold red")
        for each in differences:
            self._print_text(f"- {sentence(each, self._cast)}", "red")

    def serving(self, url: str, key: str, ms: float) -> None:
        self._console.print()
        self._console.print(Text(self._speaker.say("serving"), "bold"))
        for line in (
            self._speaker.say("api", url=url),
            self._speaker.say("api_document", url=url),
            self._speaker.say("key_hint"),
            f"  KEY={key}",
            f'  curl -H "Authorization: Bearer $KEY" {url}/api/v1/incidents',
        ):
            self._console.print(Text(line), soft_wrap=True)
        self._console.print()

    def end(self, log: str) -> None:
        if log:
            self._console.print(Text(self._speaker.say("logs_at", path=log)), soft_wrap=True)
        else:
            self._console.print(Text(self._speaker.say("bye"), "dim"))

    def _print_text(self, text: str, style: str = "") -> None:
        self._console.print(Text(wrap(text, self._console.width), style))

    def _print(self, line: Line) -> None:
        grid = Table.grid(padding=(0, gap_cells, 0, 0))
        grid.add_column(width=time_cells, justify="right", no_wrap=True)
        grid.add_column(width=self._who_cells, no_wrap=True)
        grid.add_column(ratio=1)
        cells = self._console.width - time_cells - self._who_cells - 2 * gap_cells
        what = self._boxed(line, cells) if line.box else Text(wrap(line.what, cells), line.style)
        grid.add_row(Text(self._speaker.ms(line.ms), "dim"), Text(line.who, line.style or "bold"), what)
        self._console.print(grid)

    def _boxed(self, line: Line, cells: int) -> Panel:
        words = Text(wrap(line.box, min(cells, box_cells_max) - frame_cells))
        return Panel(words, box=box.ROUNDED, title=line.what, title_align="left", border_style="green", expand=False)

    def _table(self, table: Sequence[Row]) -> Table:
        shown = Table(title=self._speaker.say("reached"), title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
        for heading in ("who", "channel"):
            shown.add_column(self._speaker.say(heading))
        for heading in ("accepted_at", "took"):
            shown.add_column(self._speaker.say(heading), justify="right", no_wrap=True)
        shown.add_column(self._speaker.say("promise"), no_wrap=True)
        shown.add_column(self._speaker.say("what_came"))
        for row in table:
            purpose = "" if row.purpose == "page" else f" ({self._speaker.may_say(f'outcome_{row.purpose}')})"
            broken = row.promise in (Promise.NEVER, Promise.TOO_LATE)
            shown.add_row(
                self._cast.person(row.recipient),
                self._speaker.channel(row.channel) + purpose,
                self._ms(row.accepted_ms),
                self._ms(row.took_ms),
                Text(self._speaker.say(row.promise.value), "red" if broken else "green"),
                self._came(row),
            )
        return shown

    def _ms(self, ms: float | None) -> str:
        return "-" if ms is None else self._speaker.ms(ms)

    def _came(self, row: Row) -> str:
        if row.came is None:
            return self._speaker.say("nothing")
        kind, ms = row.came
        moment = self._speaker.ms(ms)
        match kind:
            case StepKind.ANSWERED if row.keys:
                return self._speaker.say("answered_key", ms=moment, key=row.keys)
            case StepKind.ANSWERED | StepKind.RINGING:
                return self._speaker.say(f"{kind.value}_at", ms=moment)
            case StepKind.APP_TAPPED:
                return self._speaker.say("app_tapped_at", ms=moment)
            case StepKind.VOICEMAIL:
                return f"{moment} {self._speaker.say('voicemail')}"
        return self._speaker.say(kind.value, ms=moment)


class Careful:
    """Calls the teller, and asks for the end of the story when nobody reads it any more (a closed pipe)."""

    def __init__(self, steps: Callable[[Sequence[Step]], None], gone: Callable[[], None]) -> None:
        self._steps = steps
        self._gone = gone

    def __call__(self, steps: Sequence[Step]) -> None:
        try:
            self._steps(steps)
        except BrokenPipeError:
            # As Python's documentation of SIGPIPE advises: else the flush at the end of the process fails as well.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            self._gone()
