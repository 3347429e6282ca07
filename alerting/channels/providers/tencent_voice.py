"""Calls over Tencent Cloud: a registered text is spoken, a key comes back by callback. Never repeats a request.

Tencent offers no way to look a call up, to stop it or to set how long it rings.
"""

from collections.abc import Mapping

from alerting.channels.base import (
    Accepted,
    Caps,
    Health,
    NotFound,
    Rejected,
    Submission,
    Submitted,
    Unknown,
    acceptance,
)
from alerting.channels.providers.tencent_channel import TencentChannel, filled_template, region_cn
from alerting.channels.providers.tencent_check import voice_health
from alerting.channels.providers.tencent_client import Response, TencentAccount
from devices.model import Channel

calls_per_second = 20.0
ring_s = 60
"""Not documented: as long as a mainland network lets a phone ring."""


class TencentVoice(TencentChannel):
    channel = Channel.VOICE

    def __init__(self, account: TencentAccount) -> None:
        super().__init__(account)
        windows = self._settings.voice_windows
        self.caps = Caps(
            receipts=True,
            dtmf=True,
            templates=True,
            regions=region_cn,
            windows=windows,
            min_gap_s=max((each.seconds for each in windows if each.most == 1 and each.hours is None), default=0.0),
            per_second=calls_per_second,
            ring_s=ring_s,
        )

    async def submit(self, submission: Submission, deadline_s: float) -> Submitted:
        """One POST. Its answer names the call; callbacks bring that name only."""
        filled = filled_template(submission, self._settings.voice_templates)
        if isinstance(filled, Rejected):
            return self._told(submission, filled)
        asked = {
            "CalledNumber": submission.address,
            "VoiceSdkAppid": self._settings.voice_app_id,
            "TemplateId": filled[0],
            "TemplateParamSet": filled[1],
            "PlayTimes": self._settings.play_times,
            "SessionContext": submission.attempt_id,
        }
        got = await self._account.voice("SendTtsVoice", asked, deadline_s)
        return self._told(submission, _accepted(got) if isinstance(got, Mapping) else got)

    async def reconcile(self, submission: Submission, provider_ref: str | None) -> Accepted | NotFound | Unknown:
        """Only a callback can tell."""
        return Unknown("not_listed")

    async def check(self) -> Health:
        """What can be known without calling anybody; see `tencent_check`."""
        return await voice_health(self._account)


def _accepted(response: Response) -> Submitted:
    status = response.get("SendStatus")
    return acceptance(status.get("CallId") if isinstance(status, dict) else None)
