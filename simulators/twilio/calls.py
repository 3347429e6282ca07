"""The way of one call: queue, ringing, the person's answer, the TwiML conversation, the end.

Plays documents against a virtual phone on the story's own clock; never answers the create request.
"""

import asyncio
import math
from collections.abc import Mapping
from typing import NoReturn
from urllib.parse import urljoin

from devices.model import Channel
from simulators.emulating.callbacks import CallbackLine
from simulators.phone import Answers, Behaviour, CallReceived, Heard, PhoneEventKind
from simulators.twilio import twiml
from simulators.twilio.callbacks import Answer, Wires
from simulators.twilio.store import Call, api_version, rfc2822

documents_max = 50  # a call that is redirected more often than this is in a circle
error_speech = twiml.Say("We are sorry, an application error has occurred. Goodbye.")
_sip_codes = {"busy": "486", "no-answer": "487", "failed": "480", "completed": "200"}


class _Over(Exception):
    """The call has ended with this status."""

    def __init__(self, status: str) -> None:
        super().__init__(status)
        self.status = status


class CallDriver:
    """Carries calls."""

    def __init__(self, wires: Wires) -> None:
        self._wires = wires

    async def run(self, call: Call) -> None:
        """From the queue to the last callback."""
        line = self._wires.line(Channel.VOICE, call.to, call.callback)
        await _CallInProgress(self._wires, call, line).run()
        if line is not None:
            line.finish()
            await line.drained()


class _CallInProgress:
    """One call. `elapsed` counts the story's seconds since the answer."""

    def __init__(self, wires: Wires, call: Call, line: CallbackLine[Mapping[str, str]] | None) -> None:
        self._wires = wires
        self._call = call
        self._line = line
        self._phone = Behaviour()
        self._keys = ""
        self._elapsed = 0.0
        self._talk_s_max = math.inf
        self._record = CallReceived(call.sid, call.to, call.sender, wires.clock(), call.attempt)

    async def run(self) -> None:
        call = self._call
        try:
            await self._wait_real(call.queue_time_ms / 1000)
            self._phone = self._wires.phones.next_call(call.to)
            await self._ring_and_talk()
            status = "completed"
        except _Over as over:
            status = over.status
        call.ended_at = self._wires.clock()
        if self._record.answered:
            call.duration_s = max(1, math.ceil(self._elapsed))
        self._record.outcome = status
        self._progress("completed", status)
        call.ended.set()
        self._tell(PhoneEventKind.CALL_ENDED, status)

    async def _ring_and_talk(self) -> None:
        call, phones = self._call, self._wires.phones
        call.started_at = self._record.at = self._wires.clock()
        self._progress("initiated", "initiated")
        if self._phone.answers is Answers.UNREACHABLE:
            raise _Over("failed")
        phones.calls.append(self._record)
        if self._phone.answers is Answers.BUSY or phones.line_is_busy(call.to, self._phone):
            raise _Over("busy")
        phones.open_line(call.to)
        try:
            await self._ring()
            await self._talk()
        finally:
            phones.close_line(call.to)

    async def _ring(self) -> None:
        call, phone = self._call, self._phone
        self._progress("ringing", "ringing")
        self._tell(PhoneEventKind.RINGING)
        if phone.answers is Answers.NEVER or phone.answers_after_s > call.ring_s:
            await self._wait(call.ring_s)
            raise _Over("no-answer")
        await self._wait(phone.answers_after_s)
        self._record.answered = True
        self._elapsed = 0.0
        self._talk_s_max = min(phone.hangs_up_after_s, float(call.time_limit_s))
        machine = phone.answers is Answers.VOICEMAIL
        self._keys = "" if machine else phone.keys
        self._progress("answered", "in-progress")
        self._tell(PhoneEventKind.VOICEMAIL if machine else PhoneEventKind.ANSWERED)

    async def _talk(self) -> None:
        document, url = self._call.twiml or "", self._call.url
        fetch: twiml.Fetch | None = None if url is None else twiml.Fetch(url, self._call.method)
        for _ in range(documents_max):
            if fetch is not None:
                url = urljoin(url or "", fetch.url or "")
                document = await self._fetch(url, fetch)
            try:
                scene = twiml.begin(twiml.parse(document))
            except twiml.TwimlError as error:
                await self._application_error(f"{url or 'inline TwiML'}: {error}")
            fetch = await self._perform(scene)
            if fetch is None:
                return
        await self._application_error(f"{url}: redirected more than {documents_max} times")

    async def _perform(self, scene: twiml.Scene) -> twiml.Fetch | None:
        """Play scenes until another document is needed; None = the call ends here."""
        while True:
            await self._play(scene.sounds)
            match scene.then:
                case twiml.Fetch() as fetch:
                    return fetch
                case twiml.End():
                    return None
                case twiml.Listen() as listen:
                    scene = twiml.gathered(listen, await self._listen(listen.gather))

    async def _listen(self, gather: twiml.Gather) -> str:
        """Play a Gather's prompts, press what the person presses, return the digits."""
        speech_s = sum(self._wires.pace.duration(sound) for sound in gather.prompts)
        press_at = speech_s if self._phone.press_after_s is None else self._phone.press_after_s
        thumbs = bool(self._keys) and gather.hears_keys and press_at <= speech_s + gather.timeout_s
        if not thumbs:
            await self._play(gather.prompts)
            await self._wait(gather.timeout_s)
            return ""
        await self._play(gather.prompts, press_at)
        collected = twiml.collect(gather, self._keys)
        pressed = self._keys[: len(self._keys) - len(collected.left_over)]
        self._keys = collected.left_over
        self._record.pressed += pressed
        self._tell(PhoneEventKind.KEY_PRESSED, pressed)
        if not collected.complete:
            await self._wait(gather.timeout_s)
        return collected.digits

    async def _play(self, sounds: tuple[twiml.Sound, ...], cut_after_s: float | None = None) -> None:
        """Let sounds be heard; a key cuts them after so many seconds, or comes in the silence after them."""
        left = math.inf if cut_after_s is None else cut_after_s
        for sound in sounds:
            seconds = self._wires.pace.duration(sound)
            share = 1.0 if seconds <= left else left / seconds
            self._hear(sound, share)
            await self._wait(seconds * share)
            left -= seconds * share
            if share < 1.0:
                return
        if cut_after_s is not None:
            await self._wait(left)

    def _hear(self, sound: twiml.Sound, share: float) -> None:
        if isinstance(sound, twiml.Pause):
            return
        text = sound.text if isinstance(sound, twiml.Say) else sound.url
        text = text[: int(len(text) * share)]
        if text:
            self._record.heard.append(Heard(self._elapsed, text))
            self._tell(PhoneEventKind.HEARD, text)

    async def _wait(self, seconds: float) -> None:
        """Let the story go on; raises _Over when the API or the person's patience ends the call."""
        patience = max(0.0, self._talk_s_max - self._elapsed)
        await self._wait_real(min(seconds, patience) * self._wires.pace.time_scale)
        self._elapsed += min(seconds, patience)
        if seconds > patience:
            raise _Over("completed")

    async def _wait_real(self, seconds: float) -> None:
        hang_up = self._call.hang_up
        if seconds > 0 and not hang_up.is_set():
            try:
                await asyncio.wait_for(hang_up.wait(), seconds)
            except TimeoutError:
                return
        if hang_up.is_set():
            raise _Over("completed" if self._record.answered else "canceled")

    async def _fetch(self, url: str, fetch: twiml.Fetch) -> str:
        if not url:
            await self._application_error("inline TwiML has no address to go back to")
        params = self._params("in-progress")
        if fetch.digits is not None:
            params |= {"Digits": fetch.digits, "msg": "Gather End"}
        answer = await self._wires.webhooks.fetch(url, params, fetch.method)
        await self._wait(0.0)
        document = None if answer is None else _document(answer)
        if document is None:
            await self._application_error(f"{url}: no TwiML came back")
        return document

    async def _application_error(self, cause: str) -> NoReturn:
        self._wires.webhooks.troubles.append(cause)
        await self._play((error_speech,))
        raise _Over("completed")

    def _progress(self, event: str, status: str) -> None:
        call = self._call
        call.status = status
        call.updated_at = now = self._wires.clock()
        if self._line is None or call.callback is None or event not in call.callback.events:
            return
        params = self._params(status) | {
            "CallbackSource": "call-progress-events",
            "SequenceNumber": str(call.events_sent),
            "Timestamp": rfc2822(now) or "",
        }
        if event == "completed":
            params["SipResponseCode"] = _sip_codes.get(status, "487")
            params["CallDuration"] = str(call.duration_s or 0)
            params["Duration"] = str(math.ceil((call.duration_s or 0) / 60))
        call.events_sent += 1
        self._line.post(params)

    def _params(self, status: str) -> dict[str, str]:
        call = self._call
        return {
            "AccountSid": call.account_sid,
            "ApiVersion": api_version,
            "CallSid": call.sid,
            "CallStatus": status,
            "Called": call.to,
            "Caller": call.sender,
            "Direction": "outbound-api",
            "From": call.sender,
            "To": call.to,
        }

    def _tell(self, kind: PhoneEventKind, text: str = "") -> None:
        self._wires.phones.tell(kind, self._call.to, self._call.sid, self._call.attempt, text)


def _document(answer: Answer) -> str | None:
    """The TwiML in an answer; plain text is read out, as Twilio does."""
    if answer.content_type in ("text/xml", "application/xml", "text/html"):
        return answer.text
    if answer.content_type == "text/plain" and answer.text:
        escaped = answer.text.replace("&", "&amp;").replace("<", "&lt;")
        return f"<Response><Say>{escaped}</Say></Response>"
    return None
