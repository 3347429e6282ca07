"""`[twilio]`: the account with which texts and calls are sent. Knows no other setting."""

import re

from pydantic import BaseModel, Field, SecretStr, field_validator, model_validator

from alerting.channels.providers.twilio_settings import TwilioSettings
from gengfu.settings_kinds import STRICT, plain, web_address

_SENDER = re.compile(r"\+[1-9][0-9]{3,14}|MG[0-9A-Za-z]{2,64}")


class TwilioOptions(BaseModel):
    """`[twilio]`: one account with one sender; see `TwilioSettings` for what each key means."""

    model_config = STRICT

    account_sid: str = Field(min_length=1, max_length=64)
    auth_token: SecretStr = Field(min_length=1)
    from_number: str
    base_url: str | None = None
    key_sid: str | None = None
    key_secret: SecretStr | None = None
    previous_auth_token: SecretStr | None = None
    webhook_key: SecretStr | None = None
    calls_per_second: float = Field(default=1.0, ge=0.1, le=1000)
    two_way: bool = False
    ring_s: int = Field(default=25, ge=5, le=600)
    validity_s: int = Field(default=120, ge=1, le=36_000)

    @field_validator("from_number")
    @classmethod
    def _sender(cls, value: str) -> str:
        if not _SENDER.fullmatch(value):
            raise ValueError("is neither a number in international form (+8610...) nor a messaging service (MG...)")
        return value

    @field_validator("base_url")
    @classmethod
    def _base(cls, value: str | None) -> str | None:
        return None if value is None else web_address(value)

    @model_validator(mode="after")
    def _key_pair(self) -> "TwilioOptions":
        if (self.key_sid is None) != (self.key_secret is None):
            raise ValueError("needs key_sid and key_secret together, or neither")
        return self

    def settings(self, public_url: str) -> TwilioSettings:
        """What the provider is built from; `public_url` is where Twilio calls us back."""
        return TwilioSettings(
            account_sid=self.account_sid,
            auth_token=self.auth_token.get_secret_value(),
            from_number=self.from_number,
            public_url=public_url,
            base_url=self.base_url,
            key_sid=self.key_sid,
            key_secret=plain(self.key_secret),
            previous_auth_token=plain(self.previous_auth_token),
            webhook_key=plain(self.webhook_key),
            calls_per_second=self.calls_per_second,
            validity_s=self.validity_s,
            ring_s=self.ring_s,
            two_way=self.two_way,
        )
