"""What a Tencent Cloud account needs to be used. Never shows its secrets in a repr."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from alerting.channels.base import Window
from alerting.channels.providers.tencent_signing import Credentials
from devices.model import Language

sms_address = "https://sms.tencentcloudapi.com"
voice_address = "https://vms.tencentcloudapi.com"
night_hours = (22, 8)
default_sms_windows = (Window(10, 86_400.0),)
"""What the carriers allow; a new application is set to less in Tencent's console. The same words pass once in 30 s
only: not counted here, for no two of our texts are the same, and a fresh one shall not wait."""
default_voice_windows = (Window(1, 30.0), Window(2, 600.0), Window(5, 86_400.0), Window(1, 36_000.0, night_hours))
"""Until raised on request: one call per night."""

Templates = Mapping[Language, Mapping[str, str]]
"""By language and by the template's name in `alerting.core.templates`: Tencent's number of it."""


@dataclass(frozen=True, slots=True)
class TencentSettings:
    """One account with one text application, one voice application, or both.

    now: the machine's wall clock; requests are refused when it is five minutes wrong.
    sms_base_url, voice_base_url: a local emulator instead of Tencent.
    callback_key: the secret at the end of the callback addresses (`?key=`): Tencent signs none of its callbacks.
    """

    secret_id: str
    secret_key: str = field(repr=False)
    callback_key: str = field(repr=False)
    now: Callable[[], datetime] = field(repr=False, compare=False)
    region: str = "ap-guangzhou"
    sms_app_id: str | None = None
    sms_sign_name: str = ""
    sms_templates: Templates = field(default_factory=dict)
    voice_app_id: str | None = None
    voice_templates: Templates = field(default_factory=dict)
    play_times: int = 2
    two_way: bool = False
    """Were up-link texts switched on for this application?"""
    sms_windows: tuple[Window, ...] = default_sms_windows
    voice_windows: tuple[Window, ...] = default_voice_windows
    sms_base_url: str = sms_address
    voice_base_url: str = voice_address

    def __post_init__(self) -> None:
        if self.sms_app_id is None and self.voice_app_id is None:
            raise ValueError("needs sms_app_id, voice_app_id, or both")
        if self.sms_app_id is not None and not self.sms_sign_name:
            raise ValueError("sms_app_id needs sms_sign_name")
        if not 1 <= self.play_times <= 3:
            raise ValueError("play_times must be 1 to 3")

    @property
    def credentials(self) -> Credentials:
        return Credentials(self.secret_id, self.secret_key)

    @property
    def night_raised(self) -> bool:
        """More than one call to one phone is allowed in one night."""
        return all(window.most > 1 for window in self.voice_windows if window.hours is not None)
