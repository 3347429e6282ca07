"""What `gengfu demo` was asked for. Plain values."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DemoOptions:
    scenario: str = "flat_fire"
    headless: bool = False
    """End when the story has been judged: 0 when its expectations held, 1 when not."""
    json: bool = False
    """One JSON object per step instead of words."""
    speed: float = 1.0
    """How many seconds of the story pass in one second."""
