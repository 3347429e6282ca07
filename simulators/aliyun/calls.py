"""Calls: SingleCallByTts, IvrCall, QueryCallDetailByCallId, VoiceCallReport during and VoiceReport after each call.

What Alibaba's pages do not say is decided here and named in docs/providers/aliyun.md, "Not confirmed".
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from devices.model import Channel
from simulators.aliyun.catalog import Catalog, Filled, fill
from simulators.aliyun.limits import Limits
from simulators.aliyun.shapes import china_time, fine, mainland, refusal
from simulators.emulating.callbacks import CallbackLine
from simulators.emulating.vendor import Order, Refused, Taken
from simulators.phone import Answers, Behaviour, CallReceived, Heard, PhoneEventKind

if TYPE_CHECKING:
    from simulators.aliyun.emulator import AliyunEmulator

ring_s = 60.0
out_id_bytes_max = 15
same_caller_gap_s = 1.0
shared_caller = "shared"
products = {"IvrCall": "11000000300005", "SingleCallByTts": "11010000138001"}
_ends = {"completed": "200000", "left": "200001", "busy": "200002", "no-answer": "200003", "failed": "200010"}


@dataclass(slots=True)
class Call:
    """One call that was taken."""

    call_id: str
    action: str
    number: str
    caller: str
    words: str
    times: int
    key_wait_s: float
    menu: Mapping[str, str]
    """By key: what is said after it."""
    out_id: str
    asked_at: datetime
    status: str = ""
    """Alibaba's code, once it has ended."""
    pressed: str = ""
    blocked: bool = False
    ringing_at: datetime | None = None
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    record: CallReceived | None = field(default=None)

    def detail(self) -> dict[str, object]:
        """`Data` of QueryCallDetailByCallId."""
        talked = self.answered_at is not None and self.ended_at is not None
        seconds = (self.ended_at - self.answered_at).total_seconds() if talked else 0  # type: ignore[operator]
        return {
            "caller": self.caller,
            "callee": self.number.removeprefix("+86"),
            "callerShowNumber": self.caller,
            "calleeShowNumber": self.caller,
            "gmtCreate": china_time(self.asked_at),
            "startDate": "" if self.answered_at is None else china_time(self.answered_at),
            "endDate": "" if self.ended_at is None else china_time(self.ended_at),
            "duration": math.ceil(seconds),
            "state": self.status,
            "stateDesc": self.status,
        }


class Calls:
    """The voice service of one account. tts_keys: does SingleCallByTts report keys?"""

    def __init__(self, emulator: "AliyunEmulator", catalog: Catalog, limits: Limits) -> None:
        self.tts_keys = False
        self.taken: dict[str, Call] = {}
        self._emulator = emulator
        self._catalog = catalog
        self._limits = limits
        self._last: dict[tuple[str, str], tuple[float, Call | None]] = {}

    def clear(self) -> None:
        """Forget all."""
        self.taken.clear()
        self._last.clear()

    def order(self, action: str, params: Mapping[str, str]) -> Order:
        """As the ledger wants it."""
        filled = self._filled(action, params)
        words = filled.text if isinstance(filled, Filled) else ""
        number = mainland(params.get("CalledNumber", ""))
        return Order(Channel.VOICE, number, params.get("CalledShowNumber"), words, params.get("OutId") or None)

    def take(self, action: str, params: Mapping[str, str]) -> Taken | Refused:
        """Number, caller, template, OutId, then the limits."""
        number, caller = mainland(params.get("CalledNumber", "")), params.get("CalledShowNumber", "")
        if number is None:
            return refusal("isv.MOBILE_NUMBER_ILLEGAL")
        if (caller or action == "IvrCall") and caller not in self._catalog.numbers:
            return refusal("isv.DISPLAY_NUMBER_ILLEGAL")
        filled = self._filled(action, params)
        if isinstance(filled, str):
            return refusal(filled)
        times = params.get("PlayTimes", "3")
        if times not in ("1", "2", "3") or not 1 <= len(params.get("OutId", "0").encode()) <= out_id_bytes_max:
            return refusal("isv.INVALID_PARAMETERS")
        menu = self._menu(params)
        if isinstance(menu, str):
            return refusal(menu)
        if blocked := self._limited(number, caller or shared_caller):
            return blocked
        call = Call(
            call_id=self._emulator.reference(),
            action=action,
            number=number,
            caller=caller or shared_caller,
            words=filled.text,
            times=int(times),
            key_wait_s=int(params.get("Timeout", "3000")) / 1_000,
            menu=menu,
            out_id=params.get("OutId", ""),
            asked_at=self._emulator.clock(),
        )
        self.taken[call.call_id] = call
        self._last[call.number, call.caller] = (self._emulator.monotonic(), call)
        return Taken(call.call_id, fine(CallId=call.call_id), _Story(self._emulator, call, self.tts_keys).run())

    def detail(self, params: Mapping[str, str]) -> dict[str, object] | None:
        """The record of an ended call; None for one that is unknown, runs, or is another product's."""
        call = self.taken.get(params.get("CallId", ""))
        if call is None or not call.status or products[call.action] != params.get("ProdId"):
            return None
        return {"Code": "OK", "Message": "OK", "Data": json.dumps(call.detail(), ensure_ascii=False)}

    def _limited(self, number: str, caller: str) -> Refused | None:
        """Two from one caller to one phone within a second block each other, the first one too."""
        now = self._emulator.monotonic()
        before = self._last.get((number, caller))
        if before is not None and now - before[0] < same_caller_gap_s:
            if before[1] is not None:
                before[1].blocked = True
            self._last[number, caller] = (now, None)
            return refusal("isv.BUSINESS_LIMIT_CONTROL", "触发秒级流控Permits:1")
        broken = self._limits.ask(number, now)
        return None if broken is None else refusal("isv.BUSINESS_LIMIT_CONTROL", broken.message)

    def _filled(self, action: str, params: Mapping[str, str]) -> Filled | str:
        ivr = action == "IvrCall"
        code = params.get("StartCode" if ivr else "TtsCode", "")
        variables = params.get("StartTtsParams" if ivr else "TtsParam")
        return fill(self._catalog.speech.get(code), variables, missing="isv.TTS_TEMPLATE_ILLEGAL", speech=True)

    def _menu(self, params: Mapping[str, str]) -> dict[str, str] | str:
        menu: dict[str, str] = {}
        place = 1
        while key := params.get(f"MenuKeyMap.{place}.Key"):
            code = params.get(f"MenuKeyMap.{place}.Code")
            menu[key] = ""
            if code:
                said = fill(
                    self._catalog.speech.get(code),
                    params.get(f"MenuKeyMap.{place}.TtsParams"),
                    missing="isv.TTS_TEMPLATE_ILLEGAL",
                    speech=True,
                )
                if isinstance(said, str):
                    return said
                menu[key] = said.text
            place += 1
        return menu


class _Story:
    """One call from the dialling to its last report. `elapsed` counts the story's seconds since the answer."""

    def __init__(self, emulator: "AliyunEmulator", call: Call, tts_keys: bool) -> None:
        self._emulator = emulator
        self._call = call
        self._hears_keys = call.action == "IvrCall" or tts_keys
        self._phone = Behaviour()
        self._elapsed = 0.0
        self._line: CallbackLine[object] = emulator.line("voice", Channel.VOICE, call.number)

    async def run(self) -> None:
        call, phones = self._call, self._emulator.phones
        self._phone = phones.next_call(call.number)
        await self._emulator.pace.sleep(self._emulator.dial_s)
        outcome = "blocked" if call.blocked else await self._ring()
        call.ended_at = self._emulator.clock()
        call.status = _ends.get(outcome, "200105")
        if call.record is not None:
            call.record.outcome = "completed" if outcome == "left" else outcome
            phones.tell(PhoneEventKind.CALL_ENDED, call.number, call.call_id, call.out_id or None, call.record.outcome)
        self._line.post([self._report()])
        self._line.finish()
        await self._line.drained()

    async def _ring(self) -> str:
        call, phone, phones = self._call, self._phone, self._emulator.phones
        if phone.answers is Answers.UNREACHABLE:
            return "failed"
        call.record = CallReceived(call.call_id, call.number, call.caller, self._emulator.clock(), call.out_id or None)
        phones.calls.append(call.record)
        if phone.answers is Answers.BUSY or phones.line_is_busy(call.number, phone):
            return "busy"
        call.ringing_at = self._emulator.clock()
        self._state("200101")
        self._tell(PhoneEventKind.RINGING)
        phones.open_line(call.number)
        try:
            if phone.answers is Answers.NEVER or phone.answers_after_s > ring_s:
                await self._emulator.pace.sleep(ring_s)
                return "no-answer"
            await self._emulator.pace.sleep(phone.answers_after_s)
            return await self._talk()
        finally:
            phones.close_line(call.number)

    async def _talk(self) -> str:
        call, phone = self._call, self._phone
        assert call.record is not None
        call.answered_at = self._emulator.clock()
        call.record.answered = True
        machine = phone.answers is Answers.VOICEMAIL
        self._tell(PhoneEventKind.VOICEMAIL if machine else PhoneEventKind.ANSWERED)
        self._state("200103")
        keys = "" if machine or not self._hears_keys else phone.keys
        times = call.times
        while times > 0:
            times -= 1
            if keys and await self._until_key(keys[0]):
                if call.menu.get(keys[0]) != call.words:
                    return "completed"
                keys = keys[1:]  # the words once more, and it listens again
                times += 1
            elif not keys and not await self._hear(call.words):
                return "left"
        return "completed"

    async def _until_key(self, key: str) -> bool:
        """Words, perhaps cut by the key; then the key and what is said after it."""
        call, speech_s = self._call, self._emulator.pace.speech_s(self._call.words)
        at = speech_s if self._phone.press_after_s is None else self._phone.press_after_s
        if at > speech_s + call.key_wait_s:
            await self._hear(call.words)
            await self._emulator.pace.sleep(call.key_wait_s)
            return False
        await self._hear(call.words, min(1.0, at / speech_s) if speech_s else 1.0)
        assert call.record is not None
        call.pressed = call.record.pressed = call.pressed + key
        self._tell(PhoneEventKind.KEY_PRESSED, key)
        if call.action != "IvrCall" or key in call.menu:
            self._post_state({"status_code": "300000", "dtmf": key})
        said = call.menu.get(key)
        if said and said != call.words:
            await self._hear(said)
        return True

    async def _hear(self, words: str, share: float = 1.0) -> bool:
        """False when the person hangs up meanwhile."""
        call = self._call
        assert call.record is not None
        heard = words[: int(len(words) * share)]
        seconds = self._emulator.pace.speech_s(words) * share
        patience = max(0.0, self._phone.hangs_up_after_s - self._elapsed)
        if heard:
            call.record.heard.append(Heard(self._elapsed, heard))
            self._tell(PhoneEventKind.HEARD, heard)
        await self._emulator.pace.sleep(min(seconds, patience))
        self._elapsed += min(seconds, patience)
        return seconds <= patience

    def _tell(self, kind: PhoneEventKind, text: str = "") -> None:
        self._emulator.phones.tell(kind, self._call.number, self._call.call_id, self._call.out_id or None, text)

    def _state(self, code: str) -> None:
        self._post_state({"status_code": code})

    def _post_state(self, told: Mapping[str, str]) -> None:
        if not self._emulator.call_states:
            return
        call = self._call
        now = china_time(self._emulator.clock())
        self._line.post([{**told, "status_time": now, "out_id": call.out_id, "call_id": call.call_id}])

    def _report(self) -> dict[str, str]:
        call = self._call
        reported = self._hears_keys and (call.action != "IvrCall" or set(call.pressed) <= set(call.menu))
        detail = call.detail()
        return {
            "status_code": call.status,
            "callee": call.number.removeprefix("+86"),
            "caller": call.caller,
            "ring_time": "" if call.ringing_at is None else china_time(call.ringing_at),
            "start_time": "" if call.answered_at is None else china_time(call.answered_at),
            "end_time": "" if call.ended_at is None else china_time(call.ended_at),
            "originate_time": china_time(call.asked_at),
            "duration": str(detail["duration"]),
            "voice_type": "voice",
            "hangup_direction": "用户" if call.status == "200001" else "机器",
            "status_msg": "执行完成",
            "call_id": call.call_id,
            "out_id": call.out_id,
            "dtmf": call.pressed if reported else "",
            "toll_type": "LOCAL",
        }
