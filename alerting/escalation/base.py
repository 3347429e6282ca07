"""What a rule is: one situation, looked at when an incident's due time passed or an attempt failed. Never acts."""

from collections.abc import Callable, Sequence

from alerting.core.decisions import Decision
from alerting.core.model import Incident, Paged
from alerting.core.world import World

Rule = Callable[[Incident, Sequence[Paged], World], list[Decision] | None]
"""(incident, what was paged, world) -> decisions, or None: not this situation, ask the next rule."""
