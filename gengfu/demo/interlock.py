"""What a story needs in the registry before it begins: its policy commands, and its devices may obey. Plays nothing."""

from dataclasses import replace

from sqlalchemy import Connection

from alerting.core.model import Action, Match, PolicyCommand
from alerting.core.policy import choose, document
from alerting.ports import Priority
from alerting.store import commands, policy_rows
from alerting.store.commands import Permission
from alerting.store.policy_rows import PolicyRow
from devices.taxonomy import TAXONOMY
from gengfu.stage import Stage
from simulators.scenario import Scenario

policy_name = "interlock"


async def arrange(stage: Stage, scenario: Scenario) -> None:
    """The built-in policy of the first event's code, with the story's commands; permission for the devices named."""
    if not scenario.commands:
        return
    hazard = TAXONOMY[scenario.events[0].code]
    actions = [Action(word) for word in scenario.commands]
    built_in = choose((), hazard, (), stage.clock.now(), stage.core.timezone)
    wanted = replace(
        built_in,
        match=Match(codes=(hazard.code,)),
        commands=tuple(PolicyCommand(action) for action in actions),
    )
    row = PolicyRow(policy_name, 0, document(wanted), 1)

    def work(conn: Connection) -> None:
        policy_rows.add(conn, stage.ids.uuid7(), row)
        for device_id in scenario.devices:
            for action in actions:
                commands.permit(conn, device_id, Permission(action, own=True, permitted=True, permitted_by="demo"))

    await stage.app.database.write(Priority.ADMINISTRATION, work)
