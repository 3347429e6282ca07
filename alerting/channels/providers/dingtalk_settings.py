"""What a DingTalk (钉钉) app with a robot needs to be used. Never shows its secrets in a repr."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class DingtalkSettings:
    """One internal app of one organisation, with its robot switched on.

    app_key, app_secret: Client ID and Client Secret. robot_code: the app key where the robot has no code of its own.
    base_url: a local emulator instead of DingTalk.
    """

    app_key: str
    app_secret: str = field(repr=False)
    robot_code: str = ""
    base_url: str = "https://api.dingtalk.com"

    @property
    def robot(self) -> str:
        return self.robot_code or self.app_key
