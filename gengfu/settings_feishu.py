"""`[feishu]`: the Feishu (飞书) or Lark app whose bot sends pages. Knows no other setting."""

from pydantic import BaseModel, Field, SecretStr, field_validator

from alerting.channels.providers.feishu_settings import FeishuSettings
from gengfu.settings_kinds import STRICT, plain, web_address


class FeishuOptions(BaseModel):
    """`[feishu]`: one self-built app; see `FeishuSettings` for what each key means."""

    model_config = STRICT

    app_id: str = Field(min_length=1, max_length=64)
    app_secret: SecretStr = Field(min_length=1)
    encrypt_key: SecretStr | None = Field(default=None, min_length=1)
    verification_token: SecretStr | None = Field(default=None, min_length=1)
    urgent: bool = True
    base_url: str = "https://open.feishu.cn"

    @field_validator("base_url")
    @classmethod
    def _base(cls, value: str) -> str:
        return web_address(value)

    def settings(self, public_url: str) -> FeishuSettings:
        """What the provider is built from; where Feishu calls us back is set in its own console."""
        return FeishuSettings(
            app_id=self.app_id,
            app_secret=self.app_secret.get_secret_value(),
            encrypt_key=plain(self.encrypt_key),
            verification_token=plain(self.verification_token),
            urgent=self.urgent,
            base_url=self.base_url,
        )
