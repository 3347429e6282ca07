"""Faults on demand: what an emulator shall do wrong, for which channel and number, and how often.

Decides only; `mishaps` and the callback senders carry a fault out.
"""

from dataclasses import dataclass
from enum import StrEnum

from devices.model import Channel


class FaultKind(StrEnum):
    """What goes wrong."""

    SLOW = "slow"  # wait `seconds`, then take the request as usual
    STATUS_429 = "status_429"  # Retry-After: `retry_after`, or else `seconds`
    STATUS_500 = "status_500"
    ERROR = "error"  # the vendor's error `code` in its own shape: HTTP `status`, or inside a 200 where it does so
    CUT_LINE = "cut_line"  # the connection closes without an answer
    SILENCE = "silence"  # no answer, ever
    ACCEPT_THEN_TIME_OUT = "accept_then_time_out"  # taken, carried out, called back; no answer, ever
    HTML = "html"  # a proxy's page with status 200
    HUGE = "huge"  # JSON without end, status 200
    COMPRESSED = "compressed"  # a gzip bomb that nobody asked for, status 200
    CALLBACK_BEFORE_ANSWER = "callback_before_answer"  # all callbacks go out before the answer
    QUEUE_TIME = "queue_time"  # the call waits `seconds` in the queue, and the answer says so
    LOST_CALLBACK = "lost_callback"
    DOUBLED_CALLBACK = "doubled_callback"
    REORDERED_CALLBACK = "reordered_callback"  # goes out after the one that follows it


callback_kinds = frozenset({FaultKind.LOST_CALLBACK, FaultKind.DOUBLED_CALLBACK, FaultKind.REORDERED_CALLBACK})
#: Kinds that let the request go on; all others decide its answer, and only one of those is used up at a time.
passing_kinds = frozenset({FaultKind.SLOW, FaultKind.CALLBACK_BEFORE_ANSWER, FaultKind.QUEUE_TIME})
accepting_kinds = frozenset(
    {FaultKind.STATUS_500, FaultKind.CUT_LINE, FaultKind.HTML, FaultKind.HUGE, FaultKind.COMPRESSED}
)


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. seconds are real ones, never scaled.

    channel, number: None = any (number: whatever the vendor calls a recipient). count: how many times; None = until
        cleared.
    code: a number for Twilio, a word for others; status: of an `error`, for vendors that say it by HTTP.
    retry_after: exactly this header, garbage too.
    accepts: the message or call is taken and carried out although the answer is spoilt (`accepting_kinds` only).
    reads: lists and fetches suffer too (a whole outage), not only creates.
    """

    kind: FaultKind
    channel: Channel | None = None
    number: str | None = None
    count: int | None = None
    seconds: float = 1.0
    code: int | str = 20001
    status: int = 400
    accepts: bool = False
    reads: bool = False
    retry_after: str | None = None

    def __post_init__(self) -> None:
        if self.accepts and self.kind not in accepting_kinds:
            raise ValueError(f"accepts has no meaning for {self.kind}")
        if self.count is not None and self.count < 1:
            raise ValueError("count must be positive")
        if self.seconds < 0:
            raise ValueError("seconds must not be negative")
        if not 400 <= self.status <= 599:
            raise ValueError("status must be an error status")

    @property
    def takes_the_request(self) -> bool:
        """Whether the message or call is carried out in spite of the fault."""
        return self.accepts or self.kind is FaultKind.ACCEPT_THEN_TIME_OUT

    @property
    def retry_after_header(self) -> str:
        """What a 429 says of when."""
        return f"{self.seconds:g}" if self.retry_after is None else self.retry_after


@dataclass(slots=True)
class _Armed:
    fault: Fault
    left: int | None


class FaultBoard:
    """The faults that are armed, in the order they were set."""

    def __init__(self) -> None:
        self._armed: list[_Armed] = []

    def set(
        self,
        kind: FaultKind | str,
        *,
        channel: Channel | str | None = None,
        number: str | None = None,
        count: int | None = None,
        seconds: float = 1.0,
        code: int | str = 20001,
        status: int = 400,
        accepts: bool = False,
        reads: bool = False,
        retry_after: str | None = None,
    ) -> Fault:
        """Arm one fault; fields as in `Fault`. Raises ValueError for an unknown kind or channel."""
        of = None if channel is None else Channel(channel)
        fault = Fault(FaultKind(kind), of, number, count, seconds, code, status, accepts, reads, retry_after)
        self.arm(fault)
        return fault

    def arm(self, fault: Fault) -> None:
        """Arm one fault behind those already armed."""
        self._armed.append(_Armed(fault, fault.count))

    def clear(self, channel: Channel | str | None = None) -> None:
        """Disarm everything, or everything set for one channel."""
        self._armed = [a for a in self._armed if channel is not None and a.fault.channel != channel]

    def armed(self) -> list[Fault]:
        """What would still go wrong."""
        return [armed.fault for armed in self._armed]

    def take_for_request(self, channel: Channel, number: str | None, *, read: bool = False) -> list[Fault]:
        """Use up the faults that meet this request: any passing ones and at most one that answers it."""
        if not self._armed:
            return []
        taken: list[Fault] = []
        answered = False
        for armed in self._matching(channel, number):
            kind = armed.fault.kind
            if kind in callback_kinds or (read and not armed.fault.reads):
                continue
            if kind not in passing_kinds:
                if answered:
                    continue
                answered = True
            taken.append(self._use(armed))
        return taken

    def take_for_callback(self, channel: Channel, number: str) -> FaultKind | None:
        """Use up the first fault that meets this callback."""
        for armed in self._matching(channel, number):
            if armed.fault.kind in callback_kinds:
                return self._use(armed).kind
        return None

    def _matching(self, channel: Channel, number: str | None) -> list[_Armed]:
        return [
            armed
            for armed in self._armed
            if armed.fault.channel in (None, channel) and armed.fault.number in (None, number)
        ]

    def _use(self, armed: _Armed) -> Fault:
        if armed.left is not None:
            armed.left -= 1
            if armed.left == 0:
                self._armed.remove(armed)
        return armed.fault
