"""What can be set, with types, limits and defaults. Never reads a file or an environment itself."""

import ipaddress
import json
import re
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from devices.envelopes import TABLE as DIALECTS
from devices.model import Language
from gengfu.broker_address import BrokerAddress, parse_broker_url
from gengfu.settings_aliyun import AliyunOptions
from gengfu.settings_also_tell import AlsoTellOptions, lists_max
from gengfu.settings_dingtalk import DingtalkOptions
from gengfu.settings_feishu import FeishuOptions
from gengfu.settings_kinds import STRICT, comma_list, secrets_in, web_address
from gengfu.settings_readiness import SelfTestOptions
from gengfu.settings_restraint import RestraintOptions
from gengfu.settings_routing import RoutingOptions
from gengfu.settings_sns import SnsOptions
from gengfu.settings_tencent import TencentOptions
from gengfu.settings_twilio import TwilioOptions
from gengfu.settings_watchdog import WatchdogOptions
from gengfu.settings_webpush import WebPushOptions
from gengfu.settings_wecom import WecomOptions

ENVIRONMENT_PREFIX = "GENGFU_"
NESTING = "__"
secret_key_chars_min = 16

_NAME = r"^[A-Za-z0-9_-]{1,64}$"
_ACCOUNT = r"^[A-Za-z0-9_-]{4,64}$"
_Days = Annotated[int, Field(ge=1, le=36_500)]


def _json_list(value: Any) -> Any:
    """In the environment a list of tables is written as JSON."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except json.JSONDecodeError:
        raise ValueError("is not JSON; better write [[...]] tables in gengfu.toml") from None


class SourceOptions(BaseModel):
    """`[[sources]]`: one foreign sender on our broker."""

    model_config = STRICT

    name: str = Field(pattern=_NAME)
    dialect: str
    filter: str = Field(min_length=1, max_length=512)
    lane: Literal["alarm", "telemetry"] = "alarm"
    broker_account: str | None = Field(default=None, pattern=_ACCOUNT)
    """Under which name it logs in to the broker; by default its own name."""

    @field_validator("dialect")
    @classmethod
    def _known(cls, value: str) -> str:
        if value not in DIALECTS:
            raise ValueError(f"is no known dialect; there are: {', '.join(sorted(DIALECTS))}")
        return value

    @property
    def account(self) -> str:
        return self.broker_account or self.name


class RetentionOptions(BaseModel):
    """`[retention]`: how many days what is kept."""

    model_config = STRICT

    records_days: _Days = 400
    telemetry_days: _Days = 30
    callbacks_days: _Days = 30
    quarantine_days: _Days = 90


class Settings(BaseSettings):
    """Everything that can be set. Immutable; neither `repr` nor `str` shows a secret."""

    model_config = SettingsConfigDict(
        extra="forbid", frozen=True, hide_input_in_errors=True, env_prefix=ENVIRONMENT_PREFIX, validate_default=False
    )

    database_url: SecretStr = SecretStr("sqlite+aiosqlite:///gengfu.db")
    data_dir: Path | None = None
    broker_url: SecretStr | None = None
    broker_protocol: int = 5
    broker_tls_ca: Path | None = None
    broker_files_dir: Path | None = None
    """Where `gengfu broker files` put the broker's files: enrolments then write them again."""
    http_host: str = Field(default="127.0.0.1", min_length=1)
    http_port: int = Field(default=8000, ge=0, le=65_535)
    http_tls_cert: Path | None = None
    http_tls_key: Path | None = None
    trusted_proxies: Annotated[tuple[str, ...], NoDecode, BeforeValidator(comma_list)] = ()
    public_url: str | None = None
    secret_key: SecretStr | None = None
    timezone: str = "Asia/Shanghai"
    language: Language = Language.ZH_CN
    instance: str = Field(default="gengfu", pattern=_NAME)
    """Tells several deployments on one broker apart: part of the MQTT client ids."""
    log_format: Literal["json", "text"] = "text"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    twilio: TwilioOptions | None = None
    aliyun: AliyunOptions | None = None
    tencent: TencentOptions | None = None
    sns: SnsOptions | None = None
    webpush: WebPushOptions | None = None
    wecom: WecomOptions | None = None
    dingtalk: DingtalkOptions | None = None
    feishu: FeishuOptions | None = None
    also_tell: Annotated[
        tuple[AlsoTellOptions, ...], NoDecode, BeforeValidator(_json_list), Field(max_length=lists_max)
    ] = ()
    sources: Annotated[tuple[SourceOptions, ...], NoDecode, BeforeValidator(_json_list)] = ()
    retention: RetentionOptions = RetentionOptions()
    restraint: RestraintOptions = RestraintOptions()
    routing: RoutingOptions = RoutingOptions()
    supervision_grace_s: int = Field(default=180, ge=10, le=3_600)
    """After a start or a new connection to the broker no device is judged silent for so long."""
    canary_every_s: float = Field(default=60.0, ge=0, le=3_600)
    """How often a canary alarm goes the whole way; 0: never."""
    watchdog: WatchdogOptions | None = None
    self_test: SelfTestOptions = SelfTestOptions()
    caller_name: str = Field(default="", max_length=20)
    """Under which name workers save our numbers; by default the product's."""
    caller_numbers: Annotated[tuple[str, ...], NoDecode, BeforeValidator(comma_list)] = ()
    """Numbers from which carriers call or text for us and that no other setting names: they go on the contact card."""
    template_hashes: dict[str, dict[Language, dict[str, str]]] = {}
    """Vendor -> language -> template -> the hash of the words that it has approved."""

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], init_settings: PydanticBaseSettingsSource, *_: Any, **__: Any
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what `load_settings` has read: it decides about order, unknown keys and near misses."""
        return (init_settings,)

    @field_validator("database_url")
    @classmethod
    def _database(cls, value: SecretStr) -> SecretStr:
        from sqlalchemy.exc import ArgumentError

        from gengfu.database.common import parse

        try:
            parse(value.get_secret_value())
        except (ArgumentError, ValueError):
            raise ValueError(
                "is no address of a database: sqlite+aiosqlite:///gengfu.db (a plain file) "
                "or postgresql+asyncpg://user:password@host/name"
            ) from None
        return value

    @field_validator("broker_url")
    @classmethod
    def _broker(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            parse_broker_url(value.get_secret_value())
        return value

    @field_validator("broker_protocol")
    @classmethod
    def _protocol(cls, value: int) -> int:
        if value not in (4, 5):
            raise ValueError("is 5 (MQTT 5) or 4 (MQTT 3.1.1)")
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _proxies(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for each in value:
            try:
                ipaddress.ip_network(each, strict=False)
            except ValueError:
                raise ValueError(
                    f"has {each!r}, which is neither an IP address nor a network such as 10.0.0.0/8"
                ) from None
        return value

    @field_validator("caller_numbers")
    @classmethod
    def _callers(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        wrong = next((each for each in value if not re.fullmatch(r"\+?[0-9]{3,20}", each)), None)
        if wrong is not None:
            raise ValueError(f"has {wrong!r}, which is no number such as +861012345678 or 10690000")
        return value

    @field_validator("public_url")
    @classmethod
    def _public(cls, value: str | None) -> str | None:
        return None if value is None else web_address(value)

    @field_validator("secret_key")
    @classmethod
    def _secret(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value()) < secret_key_chars_min:
            raise ValueError(
                f"is shorter than {secret_key_chars_min} characters; `openssl rand -hex 32` makes a good one"
            )
        return value

    @field_validator("timezone")
    @classmethod
    def _zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError):
            raise ValueError("is no time zone such as Asia/Shanghai") from None
        return value

    @field_validator("log_level", "log_format", mode="before")
    @classmethod
    def _lower(cls, value: Any) -> Any:
        return value.lower() if isinstance(value, str) else value

    @field_validator("sources", "also_tell")
    @classmethod
    def _distinct(cls, value: tuple[Any, ...]) -> tuple[Any, ...]:
        names = [each.name for each in value]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise ValueError(f"has the name {twice!r} twice")
        return value

    @model_validator(mode="after")
    def _tls_pair(self) -> "Settings":
        if (self.http_tls_cert is None) != (self.http_tls_key is None):
            raise ValueError(
                "http_tls_cert and http_tls_key (GENGFU_HTTP_TLS_CERT, _KEY) come together: set both or none"
            )
        return self

    @property
    def database(self) -> str:
        """The database's URL with its password: for opening it, never for showing."""
        return self.database_url.get_secret_value()

    @cached_property
    def broker(self) -> BrokerAddress | None:
        """The broker's address; None when none is set."""
        return None if self.broker_url is None else parse_broker_url(self.broker_url.get_secret_value())

    @cached_property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @property
    def callback_base(self) -> str:
        """Where providers call back: `public_url`, else our own address (right for an emulator on this machine)."""
        if self.public_url is not None:
            return self.public_url
        host = f"[{self.http_host}]" if ":" in self.http_host else self.http_host
        return f"{'https' if self.http_tls_cert else 'http'}://{host}:{self.http_port}"

    @property
    def folder(self) -> Path:
        """Where small files of the deployment live: `data_dir`, else beside the SQLite file, else where we are."""
        if self.data_dir is not None:
            return self.data_dir
        from gengfu.database.common import parse, sqlite_path

        url = parse(self.database)
        return sqlite_path(url).parent if url.drivername == "sqlite" else Path()

    def secrets(self) -> tuple[str, ...]:
        """Everything that no log line may contain."""
        broker_password = self.broker.password if self.broker else None
        addresses = (self.database_url, self.broker_url)  # of these the password alone is one
        held = [each.get_secret_value() for each in secrets_in(self) if not any(each is one for one in addresses)]
        found = [*held, broker_password, _database_password(self.database)]
        return tuple(secret for secret in found if secret)


def _database_password(url: str) -> str | None:
    from gengfu.database.common import parse

    return parse(url).password
