"""What the first carrier does to the fires of the failover benchmark, and in which order they burn. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from devices.model import Channel
from simulators.emulating import FaultKind

TWILIO, ALIYUN = "twilio", "aliyun"
SOUND = "no fault"
retry_after_s = 20.0
slow_most_s = 30.0
Fault = dict[str, Any]
"""What a fault board is told, without the number."""


@dataclass(frozen=True, slots=True)
class Case:
    """One trouble. `faults`: all of them meet each fire. `slow`: seconds of the first fire and of the last."""

    name: str
    faults: tuple[Fault, ...] = ()
    slow: tuple[float, float] | None = None

    def faults_of(self, n: int, count: int) -> tuple[Fault, ...]:
        """Of the n-th fire of `count`."""
        if self.slow is None:
            return self.faults
        return ({"kind": FaultKind.SLOW.value, "seconds": self.slow_s(n, count)},)

    def slow_s(self, n: int, count: int) -> float:
        if self.slow is None:
            return 0.0
        first, last = self.slow
        return first + (last - first) * n / max(1, count - 1)


@dataclass(frozen=True, slots=True)
class Scene:
    """A service with a database of its own. `first`: whose emulator is in trouble. Where `mixed`, every other fire
    meets none, so that the first carrier's breaker stays closed and each fire has to find the other carrier by itself;
    else it is in trouble for everybody."""

    first: str
    cases: tuple[Case, ...]
    mixed: bool
    per_s: float


@dataclass(frozen=True, slots=True)
class Fire:
    """`number`: of its device, worker and phone."""

    number: int
    case: str
    faults: tuple[Fault, ...] = ()
    slow_s: float = 0.0


def _one(name: str, kind: FaultKind, **words: Any) -> Case:
    return Case(name, ({"kind": kind.value, **words},))


def _refused(name: str, text: str, call: str) -> Case:
    """Inside a 200."""
    codes = ((Channel.SMS, text), (Channel.VOICE, call))
    kind = FaultKind.ERROR.value
    return Case(name, tuple({"kind": kind, "channel": channel.value, "code": code} for channel, code in codes))


SCENES = (
    Scene(
        TWILIO,
        (
            Case("slow, 30 to 5 s", slow=(slow_most_s, 5.0)),  # the slowest first: the run ends the sooner
            Case("slow, 1 to 5 s", slow=(1.0, 5.0)),
            _one("silence", FaultKind.SILENCE),
            _one("429, Retry-After 20", FaultKind.STATUS_429, seconds=retry_after_s),
            _one("429, Retry-After garbage", FaultKind.STATUS_429, retry_after="soon"),
            _one("500", FaultKind.STATUS_500),
            _one("500, and it has it", FaultKind.STATUS_500, accepts=True),
            _one("line cut", FaultKind.CUT_LINE),
            _one("line cut, and it has it", FaultKind.CUT_LINE, accepts=True),
            _one("accepted, then a time-out", FaultKind.ACCEPT_THEN_TIME_OUT),
            _one("callbacks before the 201", FaultKind.CALLBACK_BEFORE_ANSWER),
        ),
        mixed=True,
        per_s=12.5,
    ),
    Scene(TWILIO, (_one("silence for all, lists too", FaultKind.SILENCE, reads=True),), mixed=False, per_s=20.0),
    Scene(
        ALIYUN,
        (
            _refused("refused in a 200: text", "isv.SMS_TEMPLATE_ILLEGAL", "isv.TTS_TEMPLATE_ILLEGAL"),
            _refused("refused in a 200: limit", "isv.BUSINESS_LIMIT_CONTROL", "isv.BUSINESS_LIMIT_CONTROL"),
        ),
        mixed=True,
        per_s=25.0,
    ),
    Scene(
        ALIYUN,
        (_refused("refused in a 200: account", "isv.OUT_OF_SERVICE", "isv.OUT_OF_SERVICE"),),
        mixed=False,
        per_s=25.0,
    ),
)


def fires(scene: Scene, each: int) -> list[Fire]:
    """So many of every case, by turns. Only even numbers: the deputy of a worker is the next one."""
    order: list[tuple[Case, int]] = []
    for n in range(each):
        for case in scene.cases:
            order += [(case, n), (Case(SOUND), n)] if scene.mixed else [(case, n)]
    return [
        Fire(2 * place, case.name, case.faults_of(n, each), case.slow_s(n, each))
        for place, (case, n) in enumerate(order)
    ]


def numbers_max(scenes: Sequence[Scene], each: int) -> int:
    """Devices, buildings and workers that the largest scene needs."""
    return max(2 * len(fires(scene, each)) for scene in scenes)


def label(scene: Scene, case: str) -> str:
    """As a table names it."""
    return f"{case} ({_PAIRS[scene.first]})" if case == SOUND else case


_PAIRS = {TWILIO: "Twilio", ALIYUN: "Alibaba"}


def of_case(burnt: Sequence[Fire], case: str) -> list[int]:
    """Numbers of its fires."""
    return [fire.number for fire in burnt if fire.case == case]
