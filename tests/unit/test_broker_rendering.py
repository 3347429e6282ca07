"""What `render` writes and what it refuses to write; no broker runs."""

import os
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from gengfu.broker.errors import BrokerFilesError
from gengfu.broker.files import (
    Account,
    SourceFilter,
    hash_password,
    hash_secret,
    own_user,
    password_matches,
    render,
    shipped_template,
)
from gengfu.broker.replacing import only_writer, replace_file

SERVICE = Account("gengfu-service", hash_password("service-secret"))
SOURCE = Account("zigbee-east", hash_secret("source-secret"))
DEVICE = Account("smoke-0001", hash_password("device-secret"))


def test_hash_fits_its_own_secret_only_and_is_salted() -> None:
    password_hash = hash_password("device-secret")
    assert password_matches("device-secret", password_hash)
    assert not password_matches("device-secre", password_hash)
    assert password_hash != hash_password("device-secret")
    assert "device-secret" not in password_hash


def test_a_random_secret_is_hashed_in_one_round_in_the_same_form() -> None:
    secret = "0123456789abcdef0123456789abcdef"
    password_hash = hash_secret(secret)
    assert password_hash.startswith("$7$1$")
    assert password_matches(secret, password_hash)
    assert not password_matches(secret[:-1], password_hash)
    assert password_hash != hash_secret(secret)


def test_files_that_say_the_same_are_left_alone(tmp_path: Path) -> None:
    def written(*devices: Account, filters: Sequence[SourceFilter] = ()) -> bool:
        sources = [SOURCE] if filters else []
        return render(tmp_path, port=18830, service=SERVICE, devices=devices, sources=sources, filters=filters).changed

    def places() -> list[int]:
        return [(tmp_path / name).stat().st_ino for name in ("passwords", "acl", "mosquitto.conf")]

    assert written(DEVICE)
    before = places()
    for name in ("passwords", "acl"):
        os.link(tmp_path / name, tmp_path / f"{name}.kept")  # or its number may be given to the next file
    assert not written(DEVICE)
    assert places() == before
    assert written()
    assert written(DEVICE)
    assert written(DEVICE, filters=[SourceFilter(SOURCE.username, "zigbee2mqtt/#")])
    assert [after == was for after, was in zip(places(), before, strict=True)] == [False, False, True]


def test_files_that_their_reader_could_not_read_are_written_again(tmp_path: Path) -> None:
    """As when mosquitto is installed after the first rendering."""
    render(tmp_path, port=18830, service=SERVICE, broker_user=own_user())
    strange = tmp_path / "passwords"
    before = strange.stat().st_ino
    assert not replace_file(strange, [strange.read_text()], None)
    assert replace_file(strange, [strange.read_text()], os.getgid())
    assert strange.stat().st_ino != before
    assert strange.stat().st_mode & 0o777 == 0o640


def test_one_wrong_account_leaves_everything_as_it_was(tmp_path: Path) -> None:
    render(tmp_path, port=18830, service=SERVICE, devices=[DEVICE])
    before = (tmp_path / "passwords").read_text()
    with pytest.raises(BrokerFilesError):
        render(tmp_path, port=18830, service=SERVICE, devices=[DEVICE, DEVICE])
    assert (tmp_path / "passwords").read_text() == before
    assert {path.name for path in tmp_path.iterdir()} == {"mosquitto.conf", "passwords", "acl", "data"}


def test_two_writers_take_turns(tmp_path: Path) -> None:
    turns: list[str] = []

    def second() -> None:
        with only_writer(tmp_path):
            turns.append("second")

    with only_writer(tmp_path):
        other = threading.Thread(target=second)
        other.start()
        other.join(0.2)
        turns.append("first")
    other.join(5)
    assert turns == ["first", "second"]


def test_a_source_may_not_speak_as_a_device_of_its_name(tmp_path: Path) -> None:
    filters = [SourceFilter(SOURCE.username, "zigbee2mqtt/#")]
    acl = render(tmp_path, port=18830, service=SERVICE, sources=[SOURCE], filters=filters).acl.read_text()
    assert acl.split("user zigbee-east\n")[1].splitlines()[0] == "topic deny gengfu/#"


def test_files_are_private_whole_and_leave_nothing_behind(tmp_path: Path) -> None:
    for _ in range(2):
        files = render(tmp_path / "broker", port=18830, service=SERVICE, devices=[DEVICE])
    names = {path.name for path in (tmp_path / "broker").iterdir()}
    assert names == {"mosquitto.conf", "passwords", "acl", "data"}
    for path in (files.configuration, files.passwords, files.acl):
        assert path.stat().st_mode & 0o137 == 0, f"{path} is open to others"
    assert files.passwords.read_text().splitlines() == [
        f"gengfu-service:{SERVICE.password_hash}",
        f"smoke-0001:{DEVICE.password_hash}",
    ]
    configuration = files.configuration.read_text()
    assert "\nlistener 18830 127.0.0.1\n" in configuration
    assert f"\npassword_file {tmp_path}/broker/passwords\n" in configuration


def test_template_promises(tmp_path: Path) -> None:
    settings = {line for line in shipped_template().splitlines() if line and not line.startswith("#")}
    for promised in (
        "allow_anonymous false",
        "persistence true",
        "autosave_on_changes true",
        "autosave_interval 200",
        "max_queued_bytes 268435456",
        "max_inflight_messages 1000",
        "max_packet_size 65536",
        "message_size_limit 65536",
        "retain_available true",
        "persistent_client_expiration 30d",
        "max_keepalive 120",
        "set_tcp_nodelay true",
        "sys_interval 5",
        "listener @PORT@ 127.0.0.1",
    ):
        assert promised in settings
    assert [line for line in settings if line.startswith("listener")] == ["listener @PORT@ 127.0.0.1"]


def test_a_folder_that_mosquitto_cannot_enter_gets_a_broker_that_runs_as_ourselves(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    files = render(closed / "broker", port=18830, service=SERVICE)
    assert f"\nuser {own_user()}\n" in files.configuration.read_text()
    assert (closed / "broker" / "data").stat().st_uid == closed.stat().st_uid


@pytest.mark.parametrize("name", ["", "abc", "a" * 65, "a/b/c", "smoke+1", "smoke#1", "烟感0001", "x y z w", "a:bcd"])
def test_names_that_could_widen_a_topic_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(BrokerFilesError, match="cannot be a broker account"):
        render(tmp_path, port=1, service=SERVICE, devices=[Account(name, DEVICE.password_hash)])
    assert list(tmp_path.iterdir()) == []


def test_one_name_has_one_secret(tmp_path: Path) -> None:
    with pytest.raises(BrokerFilesError, match="gengfu-service stands twice"):
        render(tmp_path, port=1, service=SERVICE, devices=[Account("gengfu-service", DEVICE.password_hash)])
    with pytest.raises(BrokerFilesError, match="smoke-0001 stands twice"):
        render(tmp_path, port=1, service=SERVICE, devices=[DEVICE], sources=[DEVICE])


@pytest.mark.parametrize("password_hash", ["", "secret", "$7$101$salt", f"{DEVICE.password_hash}\nrogue:x"])
def test_what_is_no_hash_is_refused_and_not_shown(tmp_path: Path, password_hash: str) -> None:
    with pytest.raises(BrokerFilesError, match="password hash of smoke-0001") as refusal:
        render(tmp_path, port=1, service=SERVICE, devices=[Account("smoke-0001", password_hash)])
    assert password_hash not in str(refusal.value) or not password_hash


@pytest.mark.parametrize(
    "topic_filter",
    [
        "",
        "#",
        "+/x",
        "gengfu/#",
        "gengfu/v1/smoke-0001/up/event",
        "$SYS/#",
        "a/#/b",
        "a/b#",
        "a/+b",
        "a\ntopic #",
        " a",
    ],
)
def test_filters_that_reach_too_far_or_are_none_are_refused(tmp_path: Path, topic_filter: str) -> None:
    with pytest.raises(BrokerFilesError, match="filter"):
        render(tmp_path, port=1, service=SERVICE, sources=[DEVICE], filters=[SourceFilter("smoke-0001", topic_filter)])
    assert list(tmp_path.iterdir()) == []


def test_a_filter_needs_its_source_and_a_template_its_known_words(tmp_path: Path) -> None:
    with pytest.raises(BrokerFilesError, match="belongs to no source"):
        render(tmp_path, port=1, service=SERVICE, filters=[SourceFilter("zigbee-east", "zigbee2mqtt/#")])
    with pytest.raises(BrokerFilesError, match="@SECRET@"):
        render(tmp_path, port=1, service=SERVICE, template="listener @SECRET@\n")
    with pytest.raises(BrokerFilesError, match="65536 is not a port"):
        render(tmp_path, port=65536, service=SERVICE)
    with pytest.raises(BrokerFilesError, match="no such system account"):
        render(tmp_path, port=1, service=SERVICE, broker_user="no-such-account")
