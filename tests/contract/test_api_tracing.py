"""Where a host has OpenTelemetry running, it gets nothing of ours: addresses of callbacks hold secrets."""

from typing import Any

import pytest
from opentelemetry import trace

from tests.contract.api_support import running_api


class Recording(trace.TracerProvider):
    def __init__(self) -> None:
        self.asked: list[str] = []

    def get_tracer(self, *args: Any, **kwargs: Any) -> trace.Tracer:
        self.asked.append(str(args[0]))
        return trace.NoOpTracer()


@pytest.mark.parametrize("path", ["/callbacks/aliyun/sms?key=a-secret", "/healthz"])
async def test_no_request_is_traced(path: str, migrated_sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    provider = Recording()
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)
    async with running_api(migrated_sqlite_url) as api, api.session.get(f"{api.base_url}{path}") as answer:
        assert answer.status in (200, 404)
    assert provider.asked == []
