"""What a Feishu (飞书) or Lark app with a bot needs to be used. Never shows its secrets in a repr."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class FeishuSettings:
    """One self-built app with its bot switched on.

    encrypt_key: of `events and callbacks` (事件与回调); without it a card has no buttons that answer: its verification
    token alone is no signature. verification_token: looked at as well where it is set.
    urgent: whoever is asked to go is also buzzed inside the app (应用内加急).
    base_url: Lark's (`https://open.larksuite.com`), or a local emulator.
    """

    app_id: str
    app_secret: str = field(repr=False)
    encrypt_key: str | None = field(default=None, repr=False)
    verification_token: str | None = field(default=None, repr=False)
    urgent: bool = True
    base_url: str = "https://open.feishu.cn"
