"""One rule for who may sign in: what the doctor calls a fault is where logins are refused."""

from itertools import product
from pathlib import Path

import pytest

from gengfu.doctor_findings import https_finding
from gengfu.exposure import is_loopback, open_without_https
from gengfu.settings_model import Settings

HOSTS = ("127.0.0.1", "localhost", "::1", "127.3.2.1", "0.0.0.0", "::", "192.0.2.7", "gengfu.example")


@pytest.mark.parametrize("host", HOSTS)
def test_the_doctor_and_the_login_agree(tmp_path: Path, host: str) -> None:
    pem = tmp_path / "x.pem"
    pem.touch()
    for cert, key, proxies in product((None, pem), (None, pem), ((), ("127.0.0.1",))):
        if (cert is None) != (key is None):
            continue  # the settings refuse one without the other
        told = Settings(http_host=host, http_tls_cert=cert, http_tls_key=key, trusted_proxies=proxies)
        finding = https_finding(told)
        assert finding.ok is not open_without_https(host, cert, key, proxies), (host, cert, proxies)
        assert finding.ok or "nobody may sign in" in finding.sentence


def test_half_a_certificate_is_none(tmp_path: Path) -> None:
    assert open_without_https("0.0.0.0", tmp_path, None, ())
    assert open_without_https("0.0.0.0", None, tmp_path, ())
    assert not open_without_https("0.0.0.0", tmp_path, tmp_path, ())


def test_loopback() -> None:
    assert [host for host in HOSTS if is_loopback(host)] == ["127.0.0.1", "localhost", "::1", "127.3.2.1"]
