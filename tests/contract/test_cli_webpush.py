"""`gengfu webpush key`: what it prints works as it stands, and only what it prints."""

import pytest

from alerting.channels.providers.webpush_settings import decoded, public_key_of
from gengfu.settings_webpush import WebPushOptions
from tests.contract.cli_support import Shell

pytest_plugins = ["tests.contract.cli_fixtures"]


def test_a_key_is_printed_once_and_accepted_by_the_settings(shell: Shell) -> None:
    (first,), (second,) = shell.ok("webpush", "key"), shell.ok("webpush", "key")
    assert first != second
    options = WebPushOptions.model_validate({"private_key": first, "subject": "mailto:ops@gengfu.example"})
    settings = options.settings("")
    assert settings.public_key == public_key_of(first)
    point = decoded(settings.public_key)
    assert point is not None
    assert (len(point), point[0]) == (65, 4)
    for shown in (repr(options), str(options), repr(settings)):
        assert first not in shown


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"private_key": "AAAA"}, "gengfu webpush key"),
        ({"private_key": "A" * 43}, "gengfu webpush key"),  # zero is no key
        ({"private_key": "ä" * 43}, "gengfu webpush key"),
        ({"subject": "ops@gengfu.example"}, "mailto:"),
        ({"subject": "mailto:<ops@gengfu.example>"}, "mailto:"),
        ({"subject": "https://gengfu.example/contact"}, "without a path"),
        ({"ttl_life_s": 60}, "120"),
        ({"ttl_life_s": 600}, "300"),
        ({"ttl_s": 0}, "60"),
        ({"keys": "x"}, "Extra inputs"),
    ],
)
def test_settings_that_no_push_service_would_take_are_refused(changes: dict[str, object], words: str) -> None:
    good = {"private_key": "B" * 42 + "A", "subject": "mailto:ops@gengfu.example"}
    WebPushOptions.model_validate(good)
    with pytest.raises(ValueError) as refused:
        WebPushOptions.model_validate(good | changes)
    assert words in str(refused.value)
    assert str(changes.get("private_key", "-" * 99)) not in str(refused.value)
