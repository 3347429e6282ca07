"""`[sns]`: the Amazon SNS access key with which texts are sent abroad. Knows no other setting."""

import re

from pydantic import BaseModel, Field, SecretStr, field_validator

from alerting.channels.providers.sns_settings import SnsSettings
from gengfu.clock import SystemClock
from gengfu.settings_kinds import STRICT, web_address

_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-[0-9]")
_SENDER = re.compile(r"[A-Za-z][A-Za-z0-9]{2,10}")


class SnsOptions(BaseModel):
    """`[sns]`; see `SnsSettings` for what each key means."""

    model_config = STRICT

    access_key_id: str = Field(min_length=1, max_length=128)
    secret_access_key: SecretStr = Field(min_length=1)
    region: str = "ap-southeast-1"
    sender_id: str | None = None
    per_second: float = Field(default=20.0, gt=0, le=10_000)
    base_url: str | None = None

    @field_validator("region")
    @classmethod
    def _region(cls, value: str) -> str:
        if not _REGION.fullmatch(value):
            raise ValueError("is no region of AWS such as ap-southeast-1")
        return value

    @field_validator("sender_id")
    @classmethod
    def _sender(cls, value: str | None) -> str | None:
        if value is not None and not _SENDER.fullmatch(value):
            raise ValueError("takes 3 to 11 letters and digits, a letter first")
        return value

    @field_validator("base_url")
    @classmethod
    def _base(cls, value: str | None) -> str | None:
        return None if value is None else web_address(value)

    def settings(self, public_url: str) -> SnsSettings:
        """What the provider is built from. Amazon calls nobody back."""
        return SnsSettings(
            access_key_id=self.access_key_id,
            secret_access_key=self.secret_access_key.get_secret_value(),
            now=SystemClock().now,
            region=self.region,
            sender_id=self.sender_id,
            base_url=self.base_url,
            per_second=self.per_second,
        )
