"""Settings: the environment over the file over the defaults, one sentence for whatever is wrong, never a secret."""

from pathlib import Path

import pytest

from devices.model import Language
from gengfu.broker_address import BrokerAddress, Scheme, parse_broker_url
from gengfu.secret_key import SecretKeyUnreadable, key_file, secret_key
from gengfu.settings import Settings, SettingsError, load_settings
from gengfu.settings_faults import known_names

TWILIO = {
    "GENGFU_TWILIO__ACCOUNT_SID": "AC123",
    "GENGFU_TWILIO__AUTH_TOKEN": "hush-twilio",
    "GENGFU_TWILIO__FROM_NUMBER": "+15005550006",
}


def refusal(tmp_path: Path, environ: dict[str, str], toml: str = "") -> str:
    """The one sentence with which these settings are refused."""
    if toml:
        (tmp_path / "gengfu.toml").write_text(toml, encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        load_settings(environ, tmp_path)
    sentence = str(caught.value)
    assert sentence.endswith(".")
    assert "\n" not in sentence
    assert "hush" not in sentence
    return sentence


def load(tmp_path: Path, environ: dict[str, str], toml: str = "") -> Settings:
    if toml:
        (tmp_path / "gengfu.toml").write_text(toml, encoding="utf-8")
    return load_settings(environ, tmp_path)


def test_without_file_and_environment_the_defaults_hold(tmp_path: Path) -> None:
    settings = load(tmp_path, {"PATH": "/bin"})
    assert settings.database == "sqlite+aiosqlite:///gengfu.db"
    assert (settings.http_host, settings.http_port, settings.timezone) == ("127.0.0.1", 8000, "Asia/Shanghai")
    assert settings.language is Language.ZH_CN
    assert settings.broker is None
    assert settings.retention.records_days == 400
    assert settings.callback_base == "http://127.0.0.1:8000"


def test_environment_lies_over_file_table_by_table(tmp_path: Path) -> None:
    file = """
        http_port = 9000
        language = "en"
        [twilio]
        account_sid = "AC-file"
        auth_token = "hush-file"
        from_number = "+15005550006"
        [retention]
        records_days = 500
        quarantine_days = 7
    """
    environ = {"GENGFU_TWILIO__ACCOUNT_SID": "AC-env", "GENGFU_RETENTION__RECORDS_DAYS": "600", "GENGFU_LANGUAGE": ""}
    settings = load(tmp_path, environ, file)
    assert (settings.http_port, settings.language) == (9000, Language.EN)
    assert settings.twilio is not None
    assert (settings.twilio.account_sid, settings.twilio.auth_token.get_secret_value()) == ("AC-env", "hush-file")
    assert (settings.retention.records_days, settings.retention.quarantine_days) == (600, 7)


def test_config_variable_names_another_file(tmp_path: Path) -> None:
    other = tmp_path / "other.toml"
    other.write_text("http_port = 7000")
    (tmp_path / "gengfu.toml").write_text("http_port = 9000")
    assert load_settings({"GENGFU_CONFIG": str(other)}, tmp_path).http_port == 7000
    assert "missing.toml" in refusal(tmp_path, {"GENGFU_CONFIG": "missing.toml"})


def test_lists_from_environment_and_file(tmp_path: Path) -> None:
    environ = {
        "GENGFU_TRUSTED_PROXIES": "10.0.0.0/8, 192.168.1.1",
        "GENGFU_SOURCES": '[{"name": "east", "dialect": "plain", "filter": "z/#", "broker_account": "zig-east"}]',
    }
    settings = load(tmp_path, environ)
    assert settings.trusted_proxies == ("10.0.0.0/8", "192.168.1.1")
    (source,) = settings.sources
    assert (source.name, source.account, source.lane) == ("east", "zig-east", "alarm")
    file = '[[sources]]\nname = "west-1"\ndialect = "plain"\nfilter = "west/#"\nlane = "telemetry"'
    assert load(tmp_path, {}, file).sources[0].account == "west-1"


def test_twilio_becomes_what_the_provider_is_built_from(tmp_path: Path) -> None:
    more = {"GENGFU_TWILIO__BASE_URL": "http://127.0.0.1:1/", "GENGFU_TWILIO__RING_S": "30"}
    twilio = load(tmp_path, TWILIO | more).twilio
    assert twilio is not None
    built = twilio.settings("https://example.org")
    assert (built.auth_token, built.base_url, built.ring_s) == ("hush-twilio", "http://127.0.0.1:1", 30)
    assert built.public_url == "https://example.org"


@pytest.mark.parametrize(
    ("variable", "meant"),
    [
        ("GENGFU_DATABSE_URL", "GENGFU_DATABASE_URL"),
        ("GENGFU_TWILIO_AUTH_TOKEN", "GENGFU_TWILIO__AUTH_TOKEN"),
        ("GENGFU_TWILIO__AUTH_TOKN", "GENGFU_TWILIO__AUTH_TOKEN"),
        ("GENGFU_HTTP_PROT", "GENGFU_HTTP_PORT"),
        ("gengfu_log_levle", "GENGFU_LOG_LEVEL"),
        ("GENGFU_CONFG", "GENGFU_CONFIG"),
    ],
)
def test_a_near_miss_in_the_environment_is_refused_with_the_right_name(
    tmp_path: Path, variable: str, meant: str
) -> None:
    sentence = refusal(tmp_path, {variable: "hush"})
    assert variable in sentence
    assert meant in sentence


def test_a_foreign_gengfu_variable_is_a_warning(tmp_path: Path) -> None:
    warned: list[str] = []
    environ = {"GENGFU_SERVICE_HOST": "10.0.0.1", "GENGFU_PORT_8000_TCP_ADDR": "x", "GENGFU_HTTP_PORT": "81"}
    assert load_settings(environ, tmp_path, warn=warned.append).http_port == 81
    assert len(warned) == 2
    assert "GENGFU_PORT_8000_TCP_ADDR" in warned[0]


def test_no_setting_is_taken_for_a_slip_of_another() -> None:
    assert {"database_url", "twilio__auth_token", "retention__records_days", "http_tls_cert"} <= set(known_names())


@pytest.mark.parametrize(
    ("file", "key", "remedy"),
    [
        ("http_prot = 1", "http_prot", "http_port"),
        ("broker = 'mqtt://a:hush@b'", "broker ", "remove it"),
        ("[twilio]\naccount_sid='a'\nauth_tokn='hush'\nfrom_number='+15005550006'", "twilio.auth_tokn", "auth_token"),
        ("[[sources]]\nname='a'\ndialect='plain'\nfilter='x/#'\nlan='alarm'", "sources[0].lan", "write lane"),
    ],
)
def test_an_unknown_key_in_the_file_is_refused(tmp_path: Path, file: str, key: str, remedy: str) -> None:
    sentence = refusal(tmp_path, {}, file)
    assert key in sentence
    assert "gengfu.toml" in sentence
    assert remedy in sentence


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("GENGFU_HTTP_PORT", "eighty"),
        ("GENGFU_HTTP_PORT", "65536"),
        ("GENGFU_LOG_FORMAT", "xml"),
        ("GENGFU_LANGUAGE", "de"),
        ("GENGFU_TIMEZONE", "Mars/Base"),
        ("GENGFU_TIMEZONE", "../etc"),
        ("GENGFU_DATABASE_URL", "mysql://root:hush@h/x"),
        ("GENGFU_DATABASE_URL", "sqlite+aiosqlite:///:memory:"),
        ("GENGFU_DATABASE_URL", "postgresql+asyncpg://u:hush@h:port/x"),
        ("GENGFU_BROKER_URL", "mqtt://u:hu#sh@h"),
        ("GENGFU_BROKER_URL", "amqp://u:hush@h"),
        ("GENGFU_BROKER_URL", "mqtt://u:hush/er@h"),
        ("GENGFU_BROKER_PROTOCOL", "3"),
        ("GENGFU_PUBLIC_URL", "gengfu.example.org"),
        ("GENGFU_PUBLIC_URL", "https://user:hush@example.org"),
        ("GENGFU_TRUSTED_PROXIES", "10.0.0.0/8,nginx"),
        ("GENGFU_SECRET_KEY", "hush"),
        ("GENGFU_RETENTION__RECORDS_DAYS", "0"),
        ("GENGFU_RETENTION", "{hush"),
        ("GENGFU_SOURCES", "[hush"),
        ("GENGFU_SOURCES", '[{"name": "a", "dialect": "morse", "filter": "x/#"}]'),
        ("GENGFU_INSTANCE", "a/b"),
        ("GENGFU_TWILIO", "hush"),
    ],
)
def test_a_wrong_value_is_refused_with_the_name_of_its_key(tmp_path: Path, variable: str, value: str) -> None:
    assert refusal(tmp_path, {variable: value}).startswith(variable)


@pytest.mark.parametrize(
    ("key", "value"),
    [("FROM_NUMBER", "110"), ("TWO_WAY", "perhaps"), ("RING_S", "4"), ("BASE_URL", "ftp://x"), ("AUTH_TOKEN", None)],
)
def test_a_wrong_or_missing_part_of_twilio_is_named(tmp_path: Path, key: str, value: str | None) -> None:
    variable = f"GENGFU_TWILIO__{key}"
    environ = {name: old for name, old in TWILIO.items() if name != variable} | ({variable: value} if value else {})
    assert variable in refusal(tmp_path, environ)


def test_what_comes_in_pairs_is_not_taken_alone(tmp_path: Path) -> None:
    assert "key_secret" in refusal(tmp_path, TWILIO | {"GENGFU_TWILIO__KEY_SID": "SK1"})
    assert "http_tls_key" in refusal(tmp_path, {"GENGFU_HTTP_TLS_CERT": "cert.pem"})


def test_a_broken_file_is_told_with_its_line_but_not_its_words(tmp_path: Path) -> None:
    assert "line 2" in refusal(tmp_path, {}, "http_port = 1\nsecret_key = hush-hush\n")
    (tmp_path / "gengfu.toml").write_bytes(b"instance = '\xff'")
    assert "UTF-8" in refusal(tmp_path, {})


def test_no_secret_shows(tmp_path: Path) -> None:
    environ = TWILIO | {
        "GENGFU_DATABASE_URL": "postgresql+asyncpg://u:hush-database@h/x",
        "GENGFU_BROKER_URL": "mqtts://gengfu-service:hush%40broker@h",
        "GENGFU_SECRET_KEY": "hush-secret-key-of-the-deployment",
        "GENGFU_TWILIO__KEY_SID": "SK1",
        "GENGFU_TWILIO__KEY_SECRET": "hush-key",
    }
    settings = load(tmp_path, environ)
    assert settings.broker is not None
    assert settings.broker.password == "hush@broker"
    assert settings.twilio is not None
    broker = settings.broker
    for shown in (repr(settings), str(settings), settings.model_dump_json(), repr(broker), broker.shown()):
        assert "hush" not in shown
    assert set(settings.secrets()) == {
        "hush-database",
        "hush@broker",
        "hush-secret-key-of-the-deployment",
        "hush-twilio",
        "hush-key",
    }


def test_broker_addresses() -> None:
    assert parse_broker_url("mqtt://h") == BrokerAddress(Scheme.MQTT, "h", 1883)
    assert parse_broker_url("mqtts://a:b%2Fc@[::1]/") == BrokerAddress(Scheme.MQTTS, "::1", 8883, "a", "b/c")
    assert parse_broker_url("mqtts://a:b@[::1]:9").shown() == "mqtts://a@[::1]:9"
    assert parse_broker_url("embedded:").embedded
    assert parse_broker_url("mqtt://h").tls() is None
    assert parse_broker_url("mqtts://h").tls() is not None


def test_an_unset_secret_key_is_made_once_for_its_owner_only(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    settings = load(tmp_path, {"GENGFU_DATABASE_URL": f"sqlite+aiosqlite:///{tmp_path}/gengfu.db"})
    made = secret_key(settings)
    assert len(made) == 64
    assert secret_key(settings) == made
    assert key_file(settings) == tmp_path / "gengfu.db.key"
    assert key_file(settings).stat().st_mode & 0o777 == 0o600
    assert made not in caplog.text
    assert [path.name for path in tmp_path.iterdir()] == ["gengfu.db.key"]
    set_one = load(tmp_path, {"GENGFU_SECRET_KEY": "k" * 32})
    assert secret_key(set_one) == "k" * 32


def test_a_damaged_secret_key_is_refused_unshown(tmp_path: Path) -> None:
    settings = load(tmp_path, {"GENGFU_DATABASE_URL": "postgresql+asyncpg://h/x", "GENGFU_DATA_DIR": str(tmp_path)})
    key_file(settings).write_text("hush")
    with pytest.raises(SecretKeyUnreadable, match=r"gengfu\.key is too short") as caught:
        secret_key(settings)
    assert "hush" not in str(caught.value)
    nowhere = load(tmp_path, {"GENGFU_DATA_DIR": str(tmp_path / "no" / "folder")})
    with pytest.raises(SecretKeyUnreadable, match="GENGFU_SECRET_KEY"):
        secret_key(nowhere)
