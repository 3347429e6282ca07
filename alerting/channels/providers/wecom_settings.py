"""What a WeCom (企业微信) app needs to be used. Never shows its secrets in a repr."""

from dataclasses import dataclass, field

encoding_key_chars = 43


@dataclass(frozen=True, slots=True)
class WecomSettings:
    """One self-built app of one company.

    token, encoding_aes_key: of `receive messages` (接收消息服务器配置); without them a card has no buttons that answer.
    base_url: a local emulator, or a company's own relay with a fixed address.
    """

    corp_id: str
    agent_id: int
    secret: str = field(repr=False)
    token: str | None = field(default=None, repr=False)
    encoding_aes_key: str | None = field(default=None, repr=False)
    base_url: str = "https://qyapi.weixin.qq.com"

    def __post_init__(self) -> None:
        if (self.token is None) != (self.encoding_aes_key is None):
            raise ValueError("token and encoding_aes_key come together")
        if self.encoding_aes_key is not None and len(self.encoding_aes_key) != encoding_key_chars:
            raise ValueError("encoding_aes_key has 43 characters")
