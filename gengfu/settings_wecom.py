"""`[wecom]`: the WeCom (企业微信) app over which cards are sent. Knows no other setting."""

import re

from pydantic import BaseModel, Field, SecretStr, field_validator, model_validator

from alerting.channels.providers.wecom_settings import WecomSettings
from gengfu.settings_kinds import STRICT, plain, web_address

_ENCODING_KEY = re.compile(r"[A-Za-z0-9]{43}")


class WecomOptions(BaseModel):
    """`[wecom]`: one self-built app; see `WecomSettings` for what each key means."""

    model_config = STRICT

    corp_id: str = Field(min_length=1, max_length=64)
    agent_id: int = Field(ge=1)
    secret: SecretStr = Field(min_length=1)
    token: SecretStr | None = None
    encoding_aes_key: SecretStr | None = None
    base_url: str = "https://qyapi.weixin.qq.com"

    @field_validator("base_url")
    @classmethod
    def _base(cls, value: str) -> str:
        return web_address(value)

    @field_validator("encoding_aes_key")
    @classmethod
    def _key(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not _ENCODING_KEY.fullmatch(value.get_secret_value()):
            raise ValueError("has not 43 letters and digits: copy EncodingAESKey from the app's 接收消息 page")
        return value

    @model_validator(mode="after")
    def _pair(self) -> "WecomOptions":
        if (self.token is None) != (self.encoding_aes_key is None):
            raise ValueError("needs token and encoding_aes_key together (buttons that answer), or neither")
        return self

    def settings(self, public_url: str) -> WecomSettings:
        """What the provider is built from; where WeCom calls us back is set in its own console."""
        return WecomSettings(
            corp_id=self.corp_id,
            agent_id=self.agent_id,
            secret=self.secret.get_secret_value(),
            token=plain(self.token),
            encoding_aes_key=plain(self.encoding_aes_key),
            base_url=self.base_url,
        )
