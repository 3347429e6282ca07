"""A step as a line for people: who did what, and in which style; quoted words go into a box. Pure; never prints."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from devices.model import Channel
from gengfu.demo.cast import Cast
from gengfu.demo.judge import Difference, Wrong
from gengfu.demo.steps import Step, StepKind


@dataclass(frozen=True, slots=True)
class Line:
    """`style`: a rich style of who and what. `box`: quoted words, shown below or, for a call, as what is heard."""

    ms: float
    who: str
    what: str
    style: str = ""
    box: str = ""


_ACCEPTED = {
    Channel.SMS: "accepted_sms",
    Channel.VOICE: "accepted_voice",
    Channel.APP: "accepted_app",
}
_AT_A_PERSON = {
    StepKind.APP_TAPPED: "app_tapped",
    StepKind.RINGING: "ringing",
    StepKind.ANSWERED: "answered",
    StepKind.VOICEMAIL: "voicemail",
    StepKind.KEY_PRESSED: "key",
    StepKind.SMS_REPLIED: "replied",
}
_DEVICE = {
    StepKind.PUBLISHED: "raised",
    StepKind.PUBLISHED_AGAIN: "again",
    StepKind.DEVICE_RECEIPT: "device_receipt",
    StepKind.REFUSED: "refused",
}
_TROUBLE = {
    StepKind.PROVIDER_BUSY: "busy",
    StepKind.PROVIDER_UNKNOWN: "unknown",
    StepKind.PROVIDER_REJECTED: "rejected",
}


_COMMANDS = {
    StepKind.COMMANDED: "cyan",
    StepKind.COMMAND_DONE: "bold green",
    StepKind.COMMAND_FAILED: "bold red",
    StepKind.COMMAND_EXPIRED: "bold red",
    StepKind.COMMAND_REFUSED: "yellow",
}


class Lines:
    """Remembers which policy each incident runs under, to name its steps."""

    def __init__(self, cast: Cast) -> None:
        self._cast = cast
        self._speaker = cast.speaker
        self._policies: dict[str | None, str] = {}

    def of(self, steps: Iterable[Step]) -> Iterator[Line]:
        """Lines of steps in order of time; messages planned together for one person are one line."""
        for together, group in groupby(steps, key=_together):
            found = list(group)
            if together is not None:
                yield self._planned(found)
                continue
            for step in found:
                line = self._one(step)
                if line is not None:
                    yield line

    def _one(self, step: Step) -> Line | None:
        if step.kind in _DEVICE:
            return self._device(step)
        if step.kind in _AT_A_PERSON:
            style = "bold green" if step.kind in (StepKind.KEY_PRESSED, StepKind.APP_TAPPED) else "green"
            what = self._speaker.say(_AT_A_PERSON[step.kind], text=step.text)
            return Line(step.ms, self._who(step), what, style)
        if step.kind in _TROUBLE:
            return self._trouble(step)
        match step.kind:
            case StepKind.PROVIDER_ACCEPTED:
                assert step.channel is not None
                actor = "app" if step.channel is Channel.APP else "provider"
                what = self._speaker.say(_ACCEPTED[step.channel], who=self._who(step))
                return Line(step.ms, self._speaker.say(actor), what, "blue")
            case StepKind.SMS_SHOWN | StepKind.APP_SHOWN:
                channel = self._speaker.channel(step.channel)
                return Line(step.ms, self._who(step), channel, "green", box=step.text)
            case StepKind.HEARD:
                return Line(step.ms, self._speaker.say("voice"), f"“{step.text}”", "italic")
            case StepKind.CALL_ENDED:
                return Line(step.ms, self._who(step), self._speaker.say(f"call_{step.text}"), "dim")
            case StepKind.FAULT_BEGAN | StepKind.FAULT_ENDED:
                fault = self._speaker.may_say(f"fault_{step.text}")
                return Line(step.ms, self._speaker.say("provider"), self._say(step, text=fault), "magenta")
        return self._ours(step)

    def _ours(self, step: Step) -> Line | None:
        """What Gengfu itself decides and records."""
        ours, style = self._speaker.say("gengfu"), "cyan"
        match step.kind:
            case StepKind.COMMITTED:
                self._policies[step.incident] = step.policy
                code, _, place = step.text.partition(" ")
                what = self._say(step, reference=step.reference, hazard=self._cast.hazard(code), place=place)
            case StepKind.STEP_SKIPPED:
                roles = self._cast.roles(self._policies.get(step.incident, ""), step.number)
                reason = self._speaker.reason(step.reason)
                what, style = self._say(step, number=step.number + 1, roles=roles, reason=reason), "yellow"
            case StepKind.TAKEN:
                what, style = self._say(step, who=self._who(step)), "bold cyan"
            case StepKind.NOTE:
                what = self._say(step, who=self._who(step), text=self._speaker.reason(step.text))
            case StepKind.REPEAT:
                what = self._say(step, device=step.text.split(" ")[0])
            case StepKind.RESTORED:
                what = self._speaker.say(step.text)
            case kind if kind in _COMMANDS:
                device, action, why = step.text.split(" ", 2)
                slots = {"device": device, "action": self._speaker.say(action), "why": self._speaker.may_say(why)}
                what, style = self._say(step, **slots), _COMMANDS[kind]
            case StepKind.WORK if step.reason == "declined" or step.text == "dispatched":
                return None
            case StepKind.WORK:
                what = self._say(step, text=step.text)
            case _:
                return None
        return Line(step.ms, ours, what, style)

    def _planned(self, steps: Sequence[Step]) -> Line:
        step = steps[0]
        spoken = [self._speaker.channel(each.channel) for each in steps]
        slots = {"who": self._who(step), "channels": self._speaker.say("and").join(spoken)}
        phrase, style = step.purpose, "cyan"
        if step.purpose == "page" and step.reason != "first_signal":
            phrase, style = "page_because", "yellow"
            slots["reason"] = self._speaker.reason(step.reason)
        return Line(step.ms, self._speaker.say("gengfu"), self._speaker.say(phrase, **slots), style)

    def _device(self, step: Step) -> Line:
        device, code, state = step.text.split(" ")
        ended = step.kind is StepKind.PUBLISHED and state == "restored"
        phrase = "ended" if ended else _DEVICE[step.kind]
        what = self._speaker.say(phrase, device=device, hazard=self._cast.hazard(code), reason=step.reason)
        style = "dim" if step.kind is StepKind.DEVICE_RECEIPT else "green" if ended else "bold red"
        return Line(step.ms, self._cast.kind(device), what, style)

    def _trouble(self, step: Step) -> Line:
        actor = "app" if step.channel is Channel.APP else "provider"
        channel = self._speaker.channel(step.channel)
        reason = self._speaker.may_say(step.reason)
        phrase = "not_found" if step.reason in ("not_found", "unsettled") else _TROUBLE[step.kind]
        what = self._speaker.say(phrase, channel=channel, who=self._who(step), reason=reason)
        return Line(step.ms, self._speaker.say(actor), what, "magenta")

    def _say(self, step: Step, **slots: object) -> str:
        return self._speaker.say(step.kind.value, **slots)

    def _who(self, step: Step) -> str:
        return self._cast.person(step.recipient)


def _together(step: Step) -> tuple[object, ...] | None:
    if step.kind is not StepKind.PLANNED:
        return None
    return step.incident, step.recipient, step.purpose, step.number, step.reason, step.ms


def sentence(difference: Difference, cast: Cast) -> str:
    """A difference in words."""
    speaker = cast.speaker
    if difference.wrong is Wrong.INCIDENTS:
        return speaker.say("incidents", count=int(difference.ms), wanted=int(difference.limit_ms))
    if difference.wrong is Wrong.NO_RECEIPT:
        return speaker.say("no_receipt", device=difference.who)
    return speaker.say(
        difference.wrong.value,
        who=cast.person(difference.who),
        channel=speaker.channel(difference.channel),
        outcome=speaker.may_say(f"outcome_{difference.outcome}"),
        ms=speaker.ms(difference.ms),
        limit=speaker.ms(difference.limit_ms),
    )
