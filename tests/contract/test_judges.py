"""The judges from npm: they start, and nobody but this machine reaches them."""

import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.support.judges import Start

pytestmark = pytest.mark.timeout(400)  # whoever comes first installs the judges


def _listening(port: int) -> set[str]:
    """Local addresses, as the kernel writes them, on which somebody listens at this port."""
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path("/proc/net", table).read_text().splitlines()[1:]:
            local, state = line.split()[1], line.split()[3]
            address, _, hexadecimal = local.rpartition(":")
            if state == "0A" and int(hexadecimal, 16) == port:
                found.add(address)
    return found


@pytest.mark.parametrize("script", ["twilio.mjs", "push.cjs"])
def test_a_judge_listens_on_loopback_alone(start_judge: Start, script: str) -> None:
    url = start_judge(script)
    assert _listening(int(url.rsplit(":", 1)[1])) == {"0100007F"}


def test_the_push_judge_answers(start_judge: Start) -> None:
    request = urllib.request.Request(start_judge("push.cjs") + "/status", data=b"", method="POST")
    with urllib.request.urlopen(request, timeout=5) as answer:
        assert answer.status == 200


def test_the_twilio_judge_refuses_strangers(start_judge: Start) -> None:
    url = start_judge("twilio.mjs") + "/2010-04-01/Accounts/AC0/Messages.json"
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(url, timeout=5)
    assert refused.value.code == 401
    refused.value.close()
