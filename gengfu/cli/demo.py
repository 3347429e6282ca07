"""`gengfu demo`: the whole story with nothing to configure. Plays nothing itself."""

from typing import Annotated

import typer


def add_to(app: typer.Typer) -> None:
    app.command("demo", epilog="Example: gengfu demo --scenario lift_ebike --speed 2")(demo)


def demo(
    scenario: Annotated[str, typer.Option(help="A story; `gengfu simulate scenario --list` has all.")] = "flat_fire",
    headless: Annotated[bool, typer.Option("--headless", help="End after the story: 0 when all went well.")] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON object per step.")] = False,
    speed: Annotated[float, typer.Option(min=0.1, max=100, help="Seconds of the story per second.")] = 1.0,
) -> None:
    """演示：一条命令，无需配置。 Play an alarm from the detector to the answered call, with everything around it."""
    from gengfu import demo as playing
    from gengfu.demo_options import DemoOptions
    from simulators.scenario import load_scenario

    load_scenario(scenario)  # a wrong name or story is told before anything is started
    raise typer.Exit(playing.run(DemoOptions(scenario, headless, json, speed)))
