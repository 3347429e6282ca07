"""The failover benchmark burns a few fires through real processes and finds them accepted. Judges no figure of time."""

from pathlib import Path

import pytest

from benchmarks import failover
from benchmarks.failover_cases import ALIYUN, SCENES, SOUND, TWILIO, Case, Scene


def _case(name: str) -> Case:
    return next(case for scene in SCENES for case in scene.cases if case.name == name)


async def test_fires_are_accepted_in_spite_of_each_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failover, "ROOT", tmp_path)
    scenes = (
        Scene(TWILIO, (_case("429, Retry-After 20"), _case("500")), mixed=True, per_s=4.0),
        Scene(ALIYUN, (_case("refused in a 200: account"),), mixed=False, per_s=4.0),
    )
    result = await failover.run(1, lambda step: None, scenes)

    rows = {row["case"]: row for row in result["rows"]}
    assert set(rows) == {f"{SOUND} (Twilio)", "429, Retry-After 20", "500", "refused in a 200: account"}
    for name, row in rows.items():
        assert (row["lost"], row["unsettled"]) == (0, 0), name
        met = row["fires"] if row["fault"] else 0
        assert row["met"] == {"sms": met, "voice": met}, name
        assert not row["fault"] or row["second"] == row["met"], name
