"""`[tencent]`: the Tencent Cloud account with which texts and calls are sent. Knows no other setting."""

import re

from pydantic import BaseModel, Field, SecretStr, field_validator, model_validator

from alerting.channels.providers.tencent_settings import (
    TencentSettings,
    default_sms_windows,
    default_voice_windows,
    sms_address,
    voice_address,
)
from alerting.core.templates import TEMPLATES
from devices.model import Channel, Language
from gengfu.clock import SystemClock
from gengfu.settings_kinds import STRICT, web_address
from gengfu.settings_windows import WindowOptions, windows_of

callback_key_chars_min = 16

_APP_ID = re.compile(r"[0-9]{6,20}")
_REGION = re.compile(r"[a-z]{2,4}(-[a-z0-9]+){1,3}")

Templates = dict[Language, dict[str, str]]


class TencentOptions(BaseModel):
    """`[tencent]`; see `TencentSettings` for what each key means."""

    model_config = STRICT

    secret_id: str = Field(min_length=1, max_length=128)
    secret_key: SecretStr = Field(min_length=1)
    callback_key: SecretStr = Field(min_length=callback_key_chars_min)
    region: str = "ap-guangzhou"
    sms_app_id: str | None = None
    sms_sign_name: str = Field(default="", max_length=20)
    sms_templates: Templates = {}
    voice_app_id: str | None = None
    voice_templates: Templates = {}
    play_times: int = Field(default=2, ge=1, le=3)
    two_way: bool = False
    sms_windows: tuple[WindowOptions, ...] | None = None
    voice_windows: tuple[WindowOptions, ...] | None = None
    sms_base_url: str = sms_address
    voice_base_url: str = voice_address

    @field_validator("sms_base_url", "voice_base_url")
    @classmethod
    def _base(cls, value: str) -> str:
        return web_address(value)

    @field_validator("sms_sign_name")
    @classmethod
    def _bare(cls, value: str) -> str:
        if "【" in value or "】" in value:
            raise ValueError("is written without 【】: Tencent puts them around it")
        return value

    @field_validator("region")
    @classmethod
    def _region(cls, value: str) -> str:
        if not _REGION.fullmatch(value):
            raise ValueError("is no region of Tencent Cloud such as ap-guangzhou")
        return value

    @field_validator("sms_app_id", "voice_app_id")
    @classmethod
    def _app_id(cls, value: str | None) -> str | None:
        if value is not None and not _APP_ID.fullmatch(value):
            raise ValueError('is the application\'s number in quotes, such as "1400006666"')
        return value

    @field_validator("sms_templates")
    @classmethod
    def _texts(cls, value: Templates) -> Templates:
        return _checked(value, Channel.SMS)

    @field_validator("voice_templates")
    @classmethod
    def _calls(cls, value: Templates) -> Templates:
        return _checked(value, Channel.VOICE)

    @model_validator(mode="after")
    def _something(self) -> "TencentOptions":
        if self.sms_app_id is None and self.voice_app_id is None:
            raise ValueError("needs sms_app_id, voice_app_id, or both")
        if self.sms_app_id is not None and not self.sms_sign_name:
            raise ValueError("sms_app_id needs sms_sign_name: the approved signature without 【】")
        return self

    def settings(self, public_url: str) -> TencentSettings:
        """What the providers are built from. Where Tencent calls back is set in its console, not by us."""
        return TencentSettings(
            secret_id=self.secret_id,
            secret_key=self.secret_key.get_secret_value(),
            callback_key=self.callback_key.get_secret_value(),
            now=SystemClock().now,
            region=self.region,
            sms_app_id=self.sms_app_id,
            sms_sign_name=self.sms_sign_name,
            sms_templates=self.sms_templates,
            voice_app_id=self.voice_app_id,
            voice_templates=self.voice_templates,
            play_times=self.play_times,
            two_way=self.two_way,
            sms_windows=windows_of(self.sms_windows, default_sms_windows),
            voice_windows=windows_of(self.voice_windows, default_voice_windows),
            sms_base_url=self.sms_base_url,
            voice_base_url=self.voice_base_url,
        )


def _checked(templates: Templates, channel: Channel) -> Templates:
    """Names that we have, for this channel, with numbers that Tencent gives."""
    known = sorted(name for name, template in TEMPLATES.items() if template.channel is channel)
    for language, names in templates.items():
        for name, number in names.items():
            if name not in known:
                raise ValueError(f"knows no {name}; there are: {', '.join(known)}")
            if not number.isdecimal():
                raise ValueError(f'takes the numbers that Tencent gave, such as {language.value}.{name} = "1234567"')
    return templates
