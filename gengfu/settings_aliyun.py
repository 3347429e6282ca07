"""`[aliyun]`: the Alibaba Cloud account with which texts and calls are sent. Knows no other setting."""

import re

from pydantic import BaseModel, Field, SecretStr, field_validator, model_validator

from alerting.channels.providers.aliyun_settings import (
    AliyunSettings,
    VoiceKeys,
    balance_address,
    default_sms_windows,
    default_voice_windows,
    sms_address,
    voice_address,
)
from alerting.core.templates import TEMPLATES
from devices.model import Channel, Language
from gengfu.clock import RandomIds, SystemClock
from gengfu.settings_kinds import STRICT, web_address
from gengfu.settings_windows import WindowOptions, windows_of

callback_key_chars_min = 16

Templates = dict[Language, dict[str, str]]
_CODES = {Channel.SMS: re.compile(r"SMS_[0-9]{1,20}"), Channel.VOICE: re.compile(r"TTS_[0-9]{1,20}")}


class AliyunOptions(BaseModel):
    """`[aliyun]`; see `AliyunSettings` for what each key means."""

    model_config = STRICT

    access_key_id: str = Field(min_length=1, max_length=128)
    access_key_secret: SecretStr = Field(min_length=1)
    callback_key: SecretStr = Field(min_length=callback_key_chars_min)
    sign_name: str | None = Field(default=None, min_length=1, max_length=30)
    sms_templates: Templates = {}
    voice_templates: Templates = {}
    show_number: str | None = Field(default=None, pattern=r"^[0-9]{5,20}$")
    voice_keys: VoiceKeys | None = None
    key_code: dict[Language, str] = {}
    play_times: int = Field(default=2, ge=1, le=3)
    key_wait_s: float = Field(default=6.0, ge=1, le=30)
    reports_ringing: bool = False
    two_way: bool = False
    sms_windows: tuple[WindowOptions, ...] | None = None
    voice_windows: tuple[WindowOptions, ...] | None = None
    sms_base_url: str = sms_address
    voice_base_url: str = voice_address
    balance_base_url: str = balance_address

    @field_validator("sms_base_url", "voice_base_url", "balance_base_url")
    @classmethod
    def _base(cls, value: str) -> str:
        return web_address(value)

    @field_validator("sign_name")
    @classmethod
    def _bare(cls, value: str | None) -> str | None:
        if value is not None and ("【" in value or "】" in value):
            raise ValueError("is written without 【】: Alibaba puts them around it")
        return value

    @field_validator("sms_templates")
    @classmethod
    def _texts(cls, value: Templates) -> Templates:
        return _checked(value, Channel.SMS)

    @field_validator("voice_templates")
    @classmethod
    def _calls(cls, value: Templates) -> Templates:
        return _checked(value, Channel.VOICE)

    @field_validator("key_code")
    @classmethod
    def _spoken(cls, value: dict[Language, str]) -> dict[Language, str]:
        if not all(_CODES[Channel.VOICE].fullmatch(code) for code in value.values()):
            raise ValueError('takes codes such as zh-CN = "TTS_1234567"')
        return value

    @model_validator(mode="after")
    def _something(self) -> "AliyunOptions":
        if not self.sms_templates and not self.voice_templates:
            raise ValueError("needs sms_templates, voice_templates, or both: register our texts first")
        if self.sms_templates and not self.sign_name:
            raise ValueError("sms_templates needs sign_name: the approved signature without 【】")
        if self.voice_keys is VoiceKeys.IVR and self.show_number is None:
            raise ValueError('voice_keys = "ivr" needs show_number: a caller number bought in the voice console')
        return self

    def settings(self, public_url: str) -> AliyunSettings:
        """What the providers are built from. Where Alibaba calls back is set in its console, not by us."""
        ivr = VoiceKeys.NONE if self.show_number is None else VoiceKeys.IVR
        return AliyunSettings(
            access_key_id=self.access_key_id,
            access_key_secret=self.access_key_secret.get_secret_value(),
            callback_key=self.callback_key.get_secret_value(),
            now=SystemClock().now,
            nonce=RandomIds().attempt,
            sign_name=self.sign_name or "",
            sms_templates=self.sms_templates,
            voice_templates=self.voice_templates,
            show_number=self.show_number,
            voice_keys=self.voice_keys or ivr,
            key_code=self.key_code,
            play_times=self.play_times,
            key_wait_s=self.key_wait_s,
            reports_ringing=self.reports_ringing,
            two_way=self.two_way,
            sms_windows=windows_of(self.sms_windows, default_sms_windows),
            voice_windows=windows_of(self.voice_windows, default_voice_windows),
            sms_base_url=self.sms_base_url,
            voice_base_url=self.voice_base_url,
            balance_base_url=self.balance_base_url,
        )


def _checked(value: Templates, channel: Channel) -> Templates:
    """Our own names on the left, Alibaba's codes on the right."""
    known = {name for name, template in TEMPLATES.items() if template.channel is channel}
    for names in value.values():
        if strange := set(names) - known:
            raise ValueError(f"has no template {', '.join(sorted(strange))}; there are: {', '.join(sorted(known))}")
        if not all(_CODES[channel].fullmatch(code) for code in names.values()):
            example = "SMS_1234567" if channel is Channel.SMS else "TTS_1234567"
            raise ValueError(f"takes Alibaba's codes, such as {example}")
    return value
