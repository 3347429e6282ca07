"""`[dingtalk]`: the DingTalk (钉钉) app whose robot sends pages. Knows no other setting."""

from pydantic import BaseModel, Field, SecretStr, field_validator

from alerting.channels.providers.dingtalk_settings import DingtalkSettings
from gengfu.settings_kinds import STRICT, web_address


class DingtalkOptions(BaseModel):
    """`[dingtalk]`: one internal app; see `DingtalkSettings` for what each key means."""

    model_config = STRICT

    app_key: str = Field(min_length=1, max_length=64)
    app_secret: SecretStr = Field(min_length=1)
    robot_code: str | None = Field(default=None, min_length=1, max_length=64)
    base_url: str = "https://api.dingtalk.com"

    @field_validator("base_url")
    @classmethod
    def _base(cls, value: str) -> str:
        return web_address(value)

    def settings(self, public_url: str) -> DingtalkSettings:
        """What the provider is built from; DingTalk does not call us back."""
        return DingtalkSettings(
            app_key=self.app_key,
            app_secret=self.app_secret.get_secret_value(),
            robot_code=self.robot_code or "",
            base_url=self.base_url,
        )
