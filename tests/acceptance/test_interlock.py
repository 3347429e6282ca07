"""A charging station overheats and its power is cut, or is not: judged at the station, the phones and the timeline."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from alerting.core.commands import CommandState
from alerting.core.model import Action
from alerting.ports import Priority
from alerting.store import commands
from alerting.store.commands import Command
from gengfu.application import Application
from simulators.city import City
from simulators.device import Habits, VirtualDevice
from simulators.line import Backoff
from simulators.obeying import Obeys, Result
from tests.acceptance.both import Begin, on_both_databases
from tests.acceptance.script import PATIENT_LADDER, Story, begin

STATION, BESIDE, DETECTOR = "jd-hy-shed-charger-1", "jd-hy-shed-charger-2", "jd-hy-shed-smoke"
CUTS: dict[str, Any] = {**PATIENT_LADDER, "commands": [{"action": "cut_power"}]}
FAILED = "断电未成功，请到场手动断电"
sent_again_within_s = 6.0


def obeying(result: Result, after_s: float = 0.4) -> Habits:
    backoff = Backoff(first_s=0.2, most_s=1.0)
    return Habits(backoff=backoff, telemetry_s=0.1, obeys=Obeys(result, after_s=after_s))


async def permit(story: Story, device_id: str, **said: bool) -> None:
    body = {"cut_power": {"declared": True, "permitted": True} | said}
    status, answer = await story.desk.put(f"/api/v1/devices/{device_id}/actions", body)
    assert status == 200, answer


async def burning(story: Story, result: Result = Result.DONE, policy: dict[str, Any] = CUTS) -> VirtualDevice:
    """The station may be switched off, answers so, and overheats."""
    await story.policy(policy)
    await permit(story, STATION)
    station = await story.device(STATION, obeying(result))
    if result is not Result.DONE:  # what goes on charging is a story of its own: this one says only how hot it is
        station.measured = {"temperature_c": 78.5}
    station.raise_alarm("charge.overheat", {"temperature_c": 78.5})
    return station


def pass_time(story: Story, seconds: float) -> None:
    """On every clock at once. The watcher may look in this very moment, before what has become due was done."""
    story.faults.expect("invariant incident_overdue")
    story.clock.pass_time(seconds)


async def page(story: Story, person: str = "worker-a", *words: str) -> None:
    await story.expect_page(person, "充电车棚", *words)


async def command_page(story: Story, person: str = "worker-a") -> None:
    """The failed cut-off, over each of the policy's channels."""
    await story.expect_sms(person, FAILED, "充电车棚")
    await story.expect_app(person, FAILED)
    await story.expect_call(person)


async def lines(story: Story, incident_id: str) -> list[tuple[str, str]]:
    """What the timeline says of commands."""
    entries = await story.timeline(incident_id)
    return [(e["kind"], e["reason"]) for e in entries if e["kind"].startswith("command")]


async def audited(story: Story, *acts: str) -> None:
    """The audit has each of these rows about the station, once."""

    async def so() -> bool:
        rows = await story.desk.items(f"/api/v1/audit?object_id={STATION}")
        return [sum(row["act"] == act for row in rows) for act in acts] == [1] * len(acts)

    await story.until(so)


async def ended(story: Story, state: str) -> dict[str, Any]:
    """The one command, once it has come to this state."""

    async def so() -> bool:
        found = await story.desk.items("/api/v1/commands")
        return [each["state"] for each in found] == [state]

    await story.until(so)
    (found,) = await story.desk.items("/api/v1/commands")
    return found


@on_both_databases
async def test_the_power_is_cut_and_later_texts_say_so(begin_story: Begin) -> None:
    async with begin_story() as story:
        station = await burning(story)
        await page(story)
        command = await ended(story, "done")

        assert (station.measured["charging"], station.measured["current_a"]) == (False, 0.0)
        (told,) = {each["command_id"] for each in station.commands}
        assert told == command["id"]
        assert station.commands[0]["action"] == "cut_power"
        incident = await story.the_incident()
        assert command["incident_id"] == incident["id"]
        assert await lines(story, incident["id"]) == [
            ("command", "interlock"),
            ("command_sent", "command_sent"),
            ("command_done", "command_done"),
        ]
        assert "power_cut" in [overlay["kind"] for overlay in incident["overlays"]]
        await audited(story, "actions", "command", "command_done")
        assert await story.desk.figure("gengfu_commands_total", action="cut_power", state="done") == 1

        pass_time(story, 300)
        await page(story, "worker-b", "已远程断电")


@on_both_databases
async def test_a_failed_cut_off_is_told_once_to_who_was_paged(begin_story: Begin) -> None:
    async with begin_story() as story:
        station = await burning(story, Result.FAILED)
        await page(story)
        await command_page(story)

        command = await ended(story, "failed")
        assert (command["reason"], station.obedience.done) == ("relay stuck", [])
        incident = await story.the_incident()
        assert (await lines(story, incident["id"]))[-1] == ("command_failed", "command_failed")
        planned = [e for e in await story.timeline(incident["id"], "planned") if e["data"]["purpose"] == "command"]
        assert {(entry["data"]["channel"], entry["reason"]) for entry in planned} == {
            (channel, "command_failed") for channel in ("sms", "voice", "app")
        }
        pass_time(story, 61)
        await story.expect_nothing_more(1.5)

        pass_time(story, 240)
        await page(story, "worker-b", "断电未成功，请手动断电")


@on_both_databases
async def test_a_silent_station_is_asked_again_and_then_given_up(begin_story: Begin) -> None:
    async with begin_story() as story:
        station = await burning(story, Result.SILENT)
        await page(story)
        await story.until(lambda: len(station.commands) >= 2, within_s=sent_again_within_s)
        assert len({each["command_id"] for each in station.commands}) == 1, "the same command each time"

        pass_time(story, 61)
        await command_page(story)
        command = await ended(story, "expired")
        heard = len(station.commands)
        incident = await story.the_incident()
        assert (await lines(story, incident["id"]))[-1] == ("command_expired", "command_expired")

        late = {"command_id": command["id"], "result": "done"}
        station.tell_anything("command", late)

        async def counted() -> bool:
            return await story.desk.figure("gengfu_ignored_total", reason="command_answered_late") == 1

        await story.until(counted)
        assert (await ended(story, "expired"))["answered_at"] is None
        assert len(station.commands) == heard, "given up: it is not sent any more"


@on_both_databases
async def test_who_goes_hears_of_the_failure_too(begin_story: Begin) -> None:
    async with begin_story() as story:
        story.presses("worker-a", "1", answers_after_s=2.0)
        await story.policy(CUTS)
        await permit(story, STATION)
        station = await story.device(STATION, obeying(Result.FAILED, after_s=1.5))
        station.raise_alarm("charge.overheat")
        await page(story)
        incident = await story.the_incident()
        assert incident["work"] == "taken"
        await story.expect_sms("worker-a", FAILED)
        app = await story.expect_app("worker-a", FAILED)
        await story.expect_call("worker-a", "断电未成功")
        assert app.purpose == "command"


@on_both_databases
async def test_what_may_not_is_refused_and_the_worker_is_paged_all_the_same(begin_story: Begin) -> None:
    async with begin_story() as story:
        await story.policy(CUTS)
        await permit(story, STATION, permitted=False)
        station = await story.device(STATION, obeying(Result.DONE))
        station.raise_alarm("charge.overheat")
        await page(story)

        command = await ended(story, "refused")
        assert (command["reason"], command["sends"]) == ("not_permitted", 0)
        incident = await story.the_incident()
        assert await lines(story, incident["id"]) == [("command_refused", "not_permitted")]
        await audited(story, "command_refused")
        await story.expect_nothing_more(1.2)
        assert station.commands == []


@on_both_databases
async def test_a_detector_has_the_stations_of_its_place_switched_off(begin_story: Begin) -> None:
    """Those that may; one without permission is left alone, and the detector itself is sent nothing."""
    async with begin_story() as story:
        await story.policy(CUTS)
        await permit(story, STATION)
        await permit(story, BESIDE, permitted=False)
        one, other = await story.device(STATION, obeying(Result.DONE)), await story.device(BESIDE)
        detector = await story.device(DETECTOR)
        detector.raise_alarm("fire.smoke")
        await page(story)
        await ended(story, "done")
        assert one.measured["charging"] is False
        assert other.commands == detector.commands == []


@on_both_databases
async def test_in_test_mode_nothing_is_sent_unless_it_is_asked_for(begin_story: Begin) -> None:
    async with begin_story() as story:
        await story.policy(CUTS)
        await permit(story, STATION)
        assert (await story.desk.post("/api/v1/test-sessions", {"device_ids": [STATION]}))[0] == 201
        station = await story.device(STATION, obeying(Result.DONE))
        await station.settled(station.raise_alarm("charge.overheat"))
        await story.expect_nothing_more(1.2)
        await station.settled(station.restore("charge.overheat"))
        assert await story.desk.items("/api/v1/commands") == []
        assert station.measured["charging"] is True


@on_both_databases
async def test_a_test_that_asks_for_it_switches_off_and_calls_nobody(begin_story: Begin) -> None:
    async with begin_story() as story:
        await story.policy({**CUTS, "commands": [{"action": "cut_power", "in_test": True}]})
        await permit(story, STATION)
        assert (await story.desk.post("/api/v1/test-sessions", {"device_ids": [STATION]}))[0] == 201
        station = await story.device(STATION, obeying(Result.DONE))
        await station.settled(station.raise_alarm("charge.overheat"))
        command = await ended(story, "done")
        assert command["incident_id"] is None
        assert station.measured["charging"] is False
        await station.settled(station.restore("charge.overheat"))


@on_both_databases
async def test_an_exercise_commands_only_what_its_policy_wants_exercised(begin_story: Begin) -> None:
    async with begin_story() as story:
        wanted = [{"action": "cut_power"}, {"action": "sound_siren", "in_test": True}]
        await story.policy({**CUTS, "commands": wanted})
        await permit(story, STATION)
        may = {"declared": True, "permitted": True}
        await story.desk.put(f"/api/v1/devices/{STATION}/actions", {"sound_siren": may})
        station = await story.device(STATION, obeying(Result.DONE))
        drill = {"grid": "jd-g1", "place": "jd-hy-shed", "code": "charge.overheat"}
        assert (await story.desk.post("/api/v1/drills", drill))[0] == 201
        await page(story, "worker-a", "演练")

        async def settled() -> bool:
            found = await story.desk.items("/api/v1/commands")
            ends = {(each["action"], each["state"], each["reason"]) for each in found}
            return ends == {("sound_siren", "done", None)}

        await story.until(settled)
        assert station.obedience.done == ["sound_siren"]
        assert station.measured["charging"] is True


@on_both_databases
async def test_by_hand_it_is_answered_and_another_device_cannot_answer_for_it(begin_story: Begin) -> None:
    async with begin_story() as story:
        await permit(story, STATION)
        station, beside = await story.device(STATION, obeying(Result.DONE, after_s=1.0)), await story.device(BESIDE)
        body = {"action": "cut_power", "reason": "现场冒烟，先断电"}
        status, asked = await story.desk.post(f"/api/v1/devices/{STATION}/commands", body)
        assert (status, asked["state"]) == (202, "planned"), asked
        beside.tell_anything("command", {"command_id": asked["id"], "result": "failed"})
        beside.tell_anything("command", {"command_id": "nobody-asked", "result": "done"})
        command = await ended(story, "done")
        assert (command["id"], command["asked_why"]) == (asked["id"], "现场冒烟，先断电")
        assert station.measured["charging"] is False
        for reason in ("command_of_another_device", "command_unknown"):
            assert await story.desk.figure("gengfu_ignored_total", reason=reason) == 1
        status, problem = await story.desk.post(f"/api/v1/devices/{BESIDE}/commands", body)
        assert (status, problem["errors"][0]["code"]) == (409, "action_not_declared"), problem


@on_both_databases
async def test_a_command_that_a_crash_left_is_sent_at_the_next_start(begin_story: Begin) -> None:
    """Committed and never published: nothing but the row is left of it."""
    async with begin_story() as story:
        await permit(story, STATION)
        station = await story.device(STATION, obeying(Result.DONE))
        await story.sign_out(*[person.id for person in story.stage.city.people])
        now = story.clock.now
        database = story.stage.app.database
        row = Command(
            story.stage.ids.uuid7(),
            STATION,
            Action.CUT_POWER,
            {},
            CommandState.PLANNED,
            now(),
            now().replace(year=2099),
        )
        await story.stage.app.subscriber.stop()  # type: ignore[union-attr]
        await database.write(Priority.ALARM, lambda conn: commands.plan(conn, [row]))
        await story.stage.app.__aexit__()
        assert station.commands == []

        async with Application(story.stage.config, story.clock) as again:
            story.stage.app = again
            await story.until(lambda: station.commands != [])
            assert station.commands[0]["command_id"] == row.id
            await ended(story, "done")


async def test_on_postgresql_another_process_sends_and_hears_the_answer(
    tmp_path: Path, postgres_url: str, city: City
) -> None:
    """The API asks, the gateway's process is woken and sends; the worker's process tells people."""
    async with begin(tmp_path / "stage", postgres_url, city, roles=frozenset({"worker", "api"})) as story:
        await story.policy(CUTS)
        for device_id in (STATION, BESIDE):
            await permit(story, device_id)
        config = replace(story.stage.config, roles=frozenset({"gateway"}), http_port=0)
        async with Application(config, story.clock) as gateway:
            assert gateway.subscriber is not None
            await story.until(gateway.subscriber.ready)
            station = await story.device(STATION, obeying(Result.DONE, after_s=0.0))
            body = {"action": "cut_power", "reason": "先断电"}
            assert (await story.desk.post(f"/api/v1/devices/{STATION}/commands", body))[0] == 202
            await story.until(lambda: station.measured["charging"] is False, within_s=2.0)
            await ended(story, "done")

            failing = await story.device(BESIDE, obeying(Result.FAILED, after_s=0.5))
            failing.measured = {"temperature_c": 78.5}
            failing.raise_alarm("charge.overheat", {"temperature_c": 78.5})
            await page(story)
            await command_page(story)
            await story.judge()
