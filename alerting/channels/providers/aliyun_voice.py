"""Calls over Alibaba Cloud: a registered text is spoken; a key comes back by callback. Never repeats a request.

Two operations: IvrCall (a caller number of one's own; documented to return keys) and SingleCallByTts. Alibaba offers no
way to find a call without its id, to stop one or to set how long it rings.
"""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from alerting.channels.base import (
    Accepted,
    CallbackEvent,
    Caps,
    Health,
    NotFound,
    Rejected,
    Scope,
    Submission,
    Submitted,
    Unknown,
    acceptance,
)
from alerting.channels.providers import aliyun_callbacks
from alerting.channels.providers.aliyun_channel import (
    AliyunChannel,
    control_timeout_s,
    filled_template,
    national,
    region_cn,
)
from alerting.channels.providers.aliyun_check import voice_health
from alerting.channels.providers.aliyun_client import AliyunAccount, Got
from alerting.channels.providers.aliyun_settings import VoiceKeys
from devices.model import Channel

ivr_per_second = 100.0
tts_per_second = 1_000.0
ring_s = 60
"""Not documented: as long as a mainland network lets a phone ring."""
keys = ("1", "2")
key_again = "3"
_without_keys: Mapping[str, str | None] = {"voice_page": "voice_told", "voice_household": None, "voice_check": None}
"""Texts that ask for a key, and what is spoken where none can come back: the same place, no key. None: nothing is."""
_product = {VoiceKeys.IVR: "11000000300005", VoiceKeys.TTS: "11010000138001", VoiceKeys.NONE: "11010000138001"}
_records_from = timedelta(minutes=5)
"""Records are asked for from a moment on; our clock may be a little ahead of Alibaba's."""


class AliyunVoice(AliyunChannel):
    channel = Channel.VOICE

    def __init__(self, account: AliyunAccount) -> None:
        super().__init__(account)
        windows, way = self._settings.voice_windows, self._settings.voice_keys
        self.caps = Caps(
            receipts=True,
            dtmf=way is not VoiceKeys.NONE,
            templates=True,
            regions=region_cn,
            reports_ringing=self._settings.reports_ringing,
            windows=windows,
            min_gap_s=max((each.seconds for each in windows if each.most == 1 and each.hours is None), default=0.0),
            per_second=ivr_per_second if way is VoiceKeys.IVR else tts_per_second,
            ring_s=ring_s,
        )

    async def submit(self, submission: Submission, deadline_s: float) -> Submitted:
        """One POST. The attempt's id travels as OutId (15 bytes at most; ours has 13)."""
        number = national(submission.address)
        if isinstance(number, Rejected):
            return self._told(submission, number)
        way = self._settings.voice_keys
        filled = self._filled(submission)
        if isinstance(filled, Rejected):
            return self._told(submission, filled)
        common = {"CalledNumber": number, "PlayTimes": str(self._settings.play_times), "OutId": submission.attempt_id}
        if way is VoiceKeys.IVR:
            got = await self._account.voice("IvrCall", common | self._menu(submission, *filled), deadline_s)
        else:
            got = await self._account.voice("SingleCallByTts", common | self._speech(*filled), deadline_s)
        return self._told(submission, _accepted(got))

    async def reconcile(self, submission: Submission, provider_ref: str | None) -> Accepted | NotFound | Unknown:
        """A record proves the call; none proves nothing: it comes after the call, and without an id none is found."""
        record = None if provider_ref is None else await self._recorded(submission, provider_ref)
        return Unknown("not_listed") if provider_ref is None or record is None else Accepted(provider_ref)

    async def poll(self, submission: Submission, provider_ref: str) -> list[CallbackEvent]:
        """How the call ended, if its record is there. A record shows no key."""
        record = await self._recorded(submission, provider_ref)
        return [] if record is None else aliyun_callbacks.recorded(submission.attempt_id, provider_ref, record)

    async def check(self) -> Health:
        """What can be known without calling anybody; see `aliyun_check`."""
        return await voice_health(self._account)

    def _filled(self, submission: Submission) -> tuple[str, str] | Rejected:
        """No text asks for a key that cannot come back."""
        templates = self._settings.voice_templates
        asked = "" if submission.wording is None else submission.wording.template
        if self._settings.voice_keys is not VoiceKeys.NONE or asked not in _without_keys:
            return filled_template(submission, templates)
        spoken = _without_keys[asked]
        if spoken is None:
            return Rejected("keys_not_offered", Scope.TEXT, asked)
        return filled_template(submission, templates, spoken)

    async def _recorded(self, submission: Submission, provider_ref: str) -> Mapping[str, Any] | None:
        since = submission.planned_at - _records_from
        params = {
            "CallId": provider_ref,
            "ProdId": _product[self._settings.voice_keys],
            "QueryDate": str(int(since.timestamp() * 1_000)),
        }
        return _record(await self._account.voice("QueryCallDetailByCallId", params, control_timeout_s))

    def _speech(self, code: str, variables: str) -> dict[str, str]:
        caller = self._settings.show_number
        shown = {} if caller is None else {"CalledShowNumber": caller}
        return {"TtsCode": code, "TtsParam": variables, **shown}

    def _menu(self, submission: Submission, code: str, variables: str) -> dict[str, str]:
        """Every key is named, so that Alibaba reports it: a thank-you after 1 and 2 where one is registered, the same
        words once more after 3."""
        thanks = self._settings.key_code.get(submission.language)
        params = {
            "CalledShowNumber": self._settings.show_number or "",
            "StartCode": code,
            "StartTtsParams": variables,
            "Timeout": str(int(self._settings.key_wait_s * 1_000)),
        }
        for place, key in enumerate(keys, 1):
            params[f"MenuKeyMap.{place}.Key"] = key
            if thanks is not None:
                params[f"MenuKeyMap.{place}.Code"] = thanks
        last = f"MenuKeyMap.{len(keys) + 1}"
        return params | {f"{last}.Key": key_again, f"{last}.Code": code, f"{last}.TtsParams": variables}


def _accepted(got: Got) -> Submitted:
    if not isinstance(got, Mapping):
        return got
    return acceptance(got.get("CallId"))


def _record(got: Got) -> Mapping[str, Any] | None:
    """`Data` is JSON within JSON."""
    data = got.get("Data") if isinstance(got, Mapping) else None
    if not isinstance(data, str):
        return None
    try:
        record = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None
