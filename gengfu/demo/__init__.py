"""`gengfu demo`: one story from the detector to the person who goes, on real parts in a temporary folder.

Never touches a broker, database or provider that the settings name, and leaves nothing behind.
"""

import os
from pathlib import Path

from gengfu.demo_options import DemoOptions


def run(options: DemoOptions) -> int:
    """Play, tell and judge. 0; with `headless` 1 when the scenario's expectations did not hold.

    Raises ScenarioError, SettingsError and BrokerUnavailable before anything is told.
    """
    from gengfu.demo.playing import play
    from gengfu.settings import load_settings
    from simulators.scenario import load_scenario

    settings = load_settings(os.environ, Path.cwd())
    embedded = settings.broker is not None and settings.broker.embedded
    return play(options, load_scenario(options.scenario), settings.language, embedded=embedded)
