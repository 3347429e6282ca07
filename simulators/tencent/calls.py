"""Calls at Tencent: a registered text is spoken to a virtual phone, keys and ends are called back by `callid` alone."""

import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from simulators.emulating import CallbackLine, Channel, Order, Refused, Taken
from simulators.phone import Answers, Behaviour, CallReceived, Heard, PhoneEventKind
from simulators.tencent.answers import error, response

if TYPE_CHECKING:
    from simulators.tencent.emulator import TencentEmulator

text_chars_max = 350
ring_s = 60.0
caller = "075583763333"
_reasons = {1: "关机", 5: "无人接听", 10: "用户正忙"}


class Calls:
    """The voice service of one account."""

    def __init__(self, emulator: "TencentEmulator") -> None:
        self._emulator = emulator

    def order(self, asked: Mapping[str, Any]) -> Order:
        """What was asked, as the ledger keeps it."""
        number, context = asked.get("CalledNumber"), asked.get("SessionContext")
        return Order(
            Channel.VOICE,
            number if isinstance(number, str) else None,
            caller,
            self._text(asked),
            context if isinstance(context, str) else None,
        )

    def take(self, asked: Mapping[str, Any]) -> Taken | Refused:
        """One call, or a refusal of the whole request."""
        code = self._problem(asked)
        if code is not None:
            return Refused(code, error(code))
        emulator = self._emulator
        number, context = str(asked["CalledNumber"]), str(asked.get("SessionContext") or "")
        text, times = self._text(asked), asked.get("PlayTimes", 2)
        call = CallReceived(_call_id(), number, caller, emulator.clock(), context or None)
        emulator.counted.call(number)
        answer = response(SendStatus={"CallId": call.sid, "SessionContext": context})
        return Taken(call.sid, answer, _CallInProgress(emulator, call, text, int(times)).run())

    def _problem(self, asked: Mapping[str, Any]) -> str | None:
        account = self._emulator.account
        number, template_id = asked.get("CalledNumber"), asked.get("TemplateId")
        if not isinstance(number, str) or not isinstance(template_id, str):
            return "MissingParameter"
        if asked.get("VoiceSdkAppid") != account.voice_app_id:
            return "UnauthorizedOperation.VoiceSdkAppidVerifyFail"
        if asked.get("PlayTimes", 2) not in (1, 2, 3):
            return "FailedOperation.InvalidParameters"
        if not number.startswith("+86") or len(number) != len("+8613800000000") or not number[1:].isdecimal():
            return "InvalidParameterValue.CalledNumberVerifyFail"
        template = account.voice_templates.get(template_id)
        values = _strings(asked.get("TemplateParamSet"))
        problem = None if template is None else template.problem(values)
        if problem == "InvalidParameterValue.TemplateParameterLengthLimit":
            return "InvalidParameterValue.ContentLengthLimit"
        if template is None or problem is not None:
            return "FailedOperation.TemplateIncorrectOrUnapproved"
        if len(template.filled(values)) > text_chars_max:
            return "InvalidParameterValue.ContentLengthLimit"
        windows = self._emulator.windows
        return None if windows is None else self._emulator.counted.call_problem(number, windows)

    def _text(self, asked: Mapping[str, Any]) -> str:
        template = self._emulator.account.voice_templates.get(str(asked.get("TemplateId")))
        values = _strings(asked.get("TemplateParamSet"))
        return template.filled(values) if template is not None and template.problem(values) is None else ""


class _CallInProgress:
    """One call, on the story's clock."""

    def __init__(self, emulator: "TencentEmulator", call: CallReceived, text: str, times: int) -> None:
        self._emulator = emulator
        self._call = call
        self._text = text
        self._times = times
        self._line = CallbackLine(Channel.VOICE, call.to, emulator.faults, emulator.background, self._send)

    async def run(self) -> None:
        """From the first ring to the last callback."""
        call, phones = self._call, self._emulator.phones
        phone = phones.next_call(call.to)
        started = self._second()
        if phone.answers is Answers.UNREACHABLE:
            self._ended("failed", 1, started)
        else:
            phones.calls.append(call)
            if phone.answers is Answers.BUSY or phones.line_is_busy(call.to, phone):
                self._ended("busy", 10, started)
            else:
                phones.open_line(call.to)
                try:
                    await self._ring(phone, started)
                finally:
                    phones.close_line(call.to)
        self._line.finish()
        await self._line.drained()
        phones.tell(PhoneEventKind.CALL_ENDED, call.to, call.sid, call.attempt, call.outcome)

    async def _ring(self, phone: Behaviour, started: str) -> None:
        pace = self._emulator.pace
        self._tell(PhoneEventKind.RINGING)
        if phone.answers is Answers.NEVER or phone.answers_after_s > ring_s:
            await pace.sleep(ring_s)
            self._ended("no-answer", 5, started)
            return
        await pace.sleep(phone.answers_after_s)
        accepted = self._second()
        self._call.answered = True
        machine = phone.answers is Answers.VOICEMAIL
        self._tell(PhoneEventKind.VOICEMAIL if machine else PhoneEventKind.ANSWERED)
        await self._talk(phone, "" if machine else phone.keys)
        self._call.outcome = "completed"
        told = self._told(
            result="0", accept_time=accepted, start_calltime=started, end_calltime=self._second(), fee="1"
        )
        self._line.post({"voiceprompt_callback": told})

    async def _talk(self, phone: Behaviour, keys: str) -> None:
        pace = self._emulator.pace
        one_round = pace.speech_s(self._text)
        elapsed = 0.0
        for number in range(self._times):
            if elapsed >= phone.hangs_up_after_s:
                return
            self._call.heard.append(Heard(elapsed, self._text))
            self._tell(PhoneEventKind.HEARD, self._text)
            lasts = min(one_round, phone.hangs_up_after_s - elapsed)
            press_at = lasts if phone.press_after_s is None else min(phone.press_after_s, lasts)
            if number == 0 and keys:
                await pace.sleep(press_at)
                self._press(keys)
                await pace.sleep(lasts - press_at)
            else:
                await pace.sleep(lasts)
            elapsed += lasts

    def _press(self, keys: str) -> None:
        """Each key is told at once and by itself."""
        for key in keys:
            self._call.pressed += key
            self._tell(PhoneEventKind.KEY_PRESSED, key)
            self._line.post({"voicekey_callback": self._told(keypress=key)})

    def _ended(self, outcome: str, code: int, started: str) -> None:
        """Nobody answered: the status, and the reason in a callback of its own."""
        self._call.outcome = outcome
        told = self._told(result="1", accept_time="", start_calltime=started, end_calltime=self._second(), fee="0")
        self._line.post({"voiceprompt_callback": told})
        reason = {"failure_code": code, "failure_reason": _reasons[code]}
        self._line.post({"voice_failure_callback": self._told() | reason})

    def _told(self, **fields: str) -> dict[str, object]:
        mobile = self._call.to.removeprefix("+86")
        return {"call_from": caller, "callid": self._call.sid, "mobile": mobile, "nationcode": "86", **fields}

    def _second(self) -> str:
        return str(int(self._emulator.clock().timestamp()))

    def _tell(self, kind: PhoneEventKind, text: str = "") -> None:
        self._emulator.phones.tell(kind, self._call.to, self._call.sid, self._call.attempt, text)

    async def _send(self, word: dict[str, dict[str, object]]) -> None:
        address = self._emulator.addresses.voice
        if address is not None:
            await self._emulator.poster.post_json(address, word)


def _strings(value: object) -> list[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


def _call_id() -> str:
    text = secrets.token_hex(16)
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
