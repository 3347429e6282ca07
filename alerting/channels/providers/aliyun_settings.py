"""What an Alibaba Cloud account needs to be used. Never shows its secrets in a repr."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from alerting.channels.base import Window
from alerting.channels.providers.aliyun_signing import Credentials
from devices.model import Language

sms_address = "https://dysmsapi.aliyuncs.com"
voice_address = "https://dyvmsapi.aliyuncs.com"
balance_address = "https://business.aliyuncs.com"
default_sms_windows = (Window(50, 86_400.0),)
"""Per signature and template, so counting all texts to a number is on the safe side."""
default_voice_windows = (Window(1, 60.0), Window(5, 3_600.0), Window(20, 86_400.0))

Templates = Mapping[Language, Mapping[str, str]]
"""By language and by the template's name in `alerting.core.templates`: Alibaba's code of it (`SMS_...`, `TTS_...`)."""


class VoiceKeys(StrEnum):
    """How a key comes back from a call."""

    IVR = "ivr"
    """IvrCall: documented to return keys; needs a caller number of one's own."""
    TTS = "tts"
    """SingleCallByTts, where Alibaba has confirmed for this account that it reports keys."""
    NONE = "none"
    """SingleCallByTts without keys: texts that ask for one are not spoken."""


@dataclass(frozen=True, slots=True)
class AliyunSettings:
    """One account with texts, calls, or both.

    now: the machine's wall clock; requests are refused when it is 15 minutes wrong. nonce: never the same twice.
    callback_key: the secret at the end of the callback addresses (`?key=`): Alibaba signs none of its callbacks.
    show_number: the caller number that people save; None: Alibaba's shared numbers (public mode).
    sms_base_url, voice_base_url, balance_base_url: a local emulator instead of Alibaba.
    """

    access_key_id: str
    access_key_secret: str = field(repr=False)
    callback_key: str = field(repr=False)
    now: Callable[[], datetime] = field(repr=False, compare=False)
    nonce: Callable[[], str] = field(repr=False, compare=False)
    sign_name: str = ""
    sms_templates: Templates = field(default_factory=dict)
    voice_templates: Templates = field(default_factory=dict)
    show_number: str | None = None
    voice_keys: VoiceKeys = VoiceKeys.NONE
    key_code: Mapping[Language, str] = field(default_factory=dict)
    """A text that is spoken after a key (`voice_keys = "ivr"`)."""
    play_times: int = 2
    key_wait_s: float = 6.0
    reports_ringing: bool = False
    """Do states of a call (VoiceCallReport) reach us within 2 s here? Then silence after an unclear answer means that
    no phone rings, and the next carrier calls it at once. Not documented, so off until somebody has seen it."""
    two_way: bool = False
    """Were up-link texts switched on for this signature?"""
    sms_windows: tuple[Window, ...] = default_sms_windows
    voice_windows: tuple[Window, ...] = default_voice_windows
    list_lag_s: float = 1.5
    """How long Alibaba's records of sent texts may trail behind its acceptances. Our guess: it says nothing."""
    sms_base_url: str = sms_address
    voice_base_url: str = voice_address
    balance_base_url: str = balance_address

    def __post_init__(self) -> None:
        if not self.sms_templates and not self.voice_templates:
            raise ValueError("needs sms_templates, voice_templates, or both")
        if self.sms_templates and not self.sign_name:
            raise ValueError("sms_templates need sign_name")
        if self.voice_keys is VoiceKeys.IVR and self.show_number is None:
            raise ValueError("voice_keys = ivr needs show_number")
        if not 1 <= self.play_times <= 3:
            raise ValueError("play_times must be 1 to 3")

    @property
    def credentials(self) -> Credentials:
        return Credentials(self.access_key_id, self.access_key_secret)
