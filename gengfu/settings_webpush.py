"""`[webpush]`: the key pair with which pages go to browsers. Knows no other setting."""

import re

from pydantic import BaseModel, Field, SecretStr, field_validator

from alerting.channels.providers.webpush_settings import (
    WebPushSettings,
    public_key_of,
    ttl_life_s_max,
    ttl_life_s_min,
)
from gengfu.settings_kinds import STRICT

_SUBJECT = re.compile(r"mailto:[^@\s<>]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+|https://[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")


class WebPushOptions(BaseModel):
    """`[webpush]`: see `WebPushSettings` for what each key means."""

    model_config = STRICT

    private_key: SecretStr
    subject: str
    ttl_life_s: int = Field(default=180, ge=ttl_life_s_min, le=ttl_life_s_max)
    ttl_s: int = Field(default=3600, ge=60, le=86_400)
    allow_private: bool = False

    @field_validator("private_key")
    @classmethod
    def _key(cls, value: SecretStr) -> SecretStr:
        try:
            public_key_of(value.get_secret_value())
        except ValueError:
            raise ValueError("is no VAPID key (32 bytes in base64url); `gengfu webpush key` makes one") from None
        return value

    @field_validator("subject")
    @classmethod
    def _address(cls, value: str) -> str:
        if not _SUBJECT.fullmatch(value):
            raise ValueError("is neither mailto:somebody@example.org nor https://example.org (without a path)")
        return value

    def settings(self, public_url: str) -> WebPushSettings:
        """What the provider is built from; a push service never calls back."""
        return WebPushSettings(
            private_key=self.private_key.get_secret_value(),
            subject=self.subject,
            ttl_life_s=self.ttl_life_s,
            ttl_s=self.ttl_s,
            allow_private=self.allow_private,
        )
