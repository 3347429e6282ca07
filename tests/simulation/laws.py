"""The laws of the night, each a function of one commit's change to one incident. They raise `Broken`, no more.

`Truth` is what the simulation knows by itself: the roster, what people said, where devices hang.
"""

import json
from dataclasses import dataclass, field
from datetime import datetime

from alerting.core.model import Ack, Reason, Work
from alerting.core.states import TRANSITIONS, Act
from devices.model import Role
from tests.simulation.judge import SECOND, Broken, Change, Rule, Standing
from tests.simulation.ledger import WHILE_ANSWERED
from tests.simulation.town import POSTS, SPOTS, Roster

day_s = 86_400
MAY_REST = (Reason.MORNING, Reason.MAINTENANCE, Reason.SHELVED)
"""Why nobody is asked for a while about what kills nobody: a standing hazard at night, work in progress, the shelf."""
BY_NAME = (Reason.DISPATCHED, Reason.CALLED_AGAIN)
"""Why somebody is asked whom the control room named, on duty or not."""
BY_HAND = (*BY_NAME, Reason.TRANSFERRED, Reason.ACK_EXPIRED)
HELP = (Reason.DISPATCHED, Reason.CALLED_AGAIN, Reason.ESCALATED)
"""Why somebody is asked beside the one who goes: the control room wants help for him."""
BY_TIME = (Reason.UNANSWERED, Reason.TAKEN_EXPIRED)
"""Why a step is asked when its time has come, and never before."""
ANYBODY = "*"


@dataclass(slots=True)
class Truth:
    """What really happened, and which pairs of the transition table were seen."""

    roster: Roster
    said: set[tuple[str, str, str]] = field(default_factory=set)
    """(incident or `*`, person, verb) of everything that a person really did."""
    seen: set[tuple[Work, Act]] = field(default_factory=set)

    def answered(self, incident_id: str, person: str) -> bool:
        """Has this person really said whether he goes, by whatever channel? His phone need not ring for it."""
        words = ("accept", "decline", "arrive")
        return any((where, person, verb) in self.said for where in (incident_id, ANYBODY) for verb in words)

    def laws(self) -> tuple[Rule, ...]:
        """All of them."""
        return (
            self.never_forgotten,
            self.only_moves_of_the_table,
            self.only_people_take,
            self.never_early,
            self.no_step_left_out,
            self.nobody_asked_while_somebody_goes,
            self.an_acknowledgement_moves_nothing,
            self.nobody_off_duty,
            self.somebody_is_asked_when_time_is_up,
            self.spreading_asks_at_once,
            self.waits_no_longer_than_its_policy,
        )

    def never_forgotten(self, change: Change) -> None:
        """Every incident that is not closed has a next action."""
        after = change.after
        if after.open is not (after.due_at is not None):
            raise Broken(f"{after.id}: {after.work}, and due {after.due_at}: it would be forgotten")

    def only_moves_of_the_table(self, change: Change) -> None:
        before = Work(change.before.work) if change.before else Work.NEW
        after = Work(change.after.work)
        for act in _acts(change):
            if act in TRANSITIONS[before]:
                self.seen.add((before, act))
        if before is not after and after not in TRANSITIONS[before].values():
            raise Broken(f"{change.after.id}: {before} -> {after} is not in the table")

    def only_people_take(self, change: Change) -> None:
        """Not delivered, not answered, not completed: only a person's word."""
        after = change.after
        if after.work not in (Work.TAKEN, Work.ON_SITE) or (change.before and change.before.work == after.work):
            return
        verb = "accept" if after.work == Work.TAKEN else "arrive"
        person = after.taken_by or ""
        if not {(after.id, person, verb), (ANYBODY, person, verb)} & self.said:
            raise Broken(f"{after.id}: {after.work} by {person}, who never said so")

    def never_early(self, change: Change) -> None:
        if change.before is None or not change.before.open or not change.has("planned", *BY_TIME):
            return
        early = change.before.due_mono - change.mono
        if early > SECOND:
            raise Broken(f"{change.after.id}: asked {early:.1f} s before its time")

    def no_step_left_out(self, change: Change) -> None:
        """Between the step before and the step now each was asked, or is named as empty."""
        before, after = change.before, change.after
        if _rests(change) or not after.open or after.answered or (before is not None and before.answered):
            return
        stood, round_ = (before.step, before.round) if before is not None else (-1, after.round)
        steps = len(change.policy.steps)
        if any(line.reason in (*BY_HAND, *WHILE_ANSWERED[:-1]) for line in change.lines):
            return  # the control room chose where it goes on; or it became worse, and whoever was asked is asked again
        if after.round > round_ and after.step < steps:
            wanted = range(after.step + 1)
        else:
            wanted = range(stood + 1, min(after.step + 1, steps))
        accounted = {line.data.get("step") for line in change.lines if line.kind in ("planned", "step_skipped")}
        left = [step for step in wanted if step not in accounted]
        if left:
            raise Broken(f"{after.id}: steps {left} were left out between {stood} and {after.step}")

    def nobody_asked_while_somebody_goes(self, change: Change) -> None:
        if not change.after.answered:
            return
        for page in change.pages:
            if page.reason not in (*WHILE_ANSWERED, *HELP):
                raise Broken(f"{change.after.id}: {page.data['recipient']} asked ({page.reason}) though somebody goes")

    def an_acknowledgement_moves_nothing(self, change: Change) -> None:
        before, after = change.before, change.after
        if before is None or (before.ack, after.ack) != (Ack.NONE, Ack.ACKNOWLEDGED):
            return
        if _ladder(before) != _ladder(after):
            raise Broken(f"{after.id}: an acknowledgement moved {_ladder(before)} to {_ladder(after)}")

    def nobody_off_duty(self, change: Change) -> None:
        for page in change.pages:
            person = page.data["recipient"]
            named = page.reason in BY_NAME or person == change.after.taken_by
            if not named and not self.roster.on_any_post(person, change.now):
                raise Broken(f"{change.after.id}: {person} is called, and is not on duty")

    def somebody_is_asked_when_time_is_up(self, change: Change) -> None:
        """The chain never ends: whenever it moves, somebody is asked if anybody can be."""
        before, after = change.before, change.after
        moved = before is None or _place(before) != _place(after) or abs(before.due_mono - after.due_mono) > SECOND
        if not change.lines:  # somebody set the clock, and due times moved with it
            return
        if not moved or not after.open or after.answered or change.pages or _rests(change):
            return
        if self._reachable(change):
            raise Broken(f"{after.id}: its time was up, somebody could be asked, and nobody was")

    def spreading_asks_at_once(self, change: Change) -> None:
        """A new floor or a new kind of sensor is never folded away."""
        if change.before is None:
            return
        known = json.loads(change.before.extent)
        for line in change.lines:
            spot = SPOTS.get(str(line.data.get("device"))) if line.kind == "signal" else None
            code = str(line.data.get("code"))
            if spot is None or not code.startswith(("fire.", "gas.")):
                continue
            fresh = spot.floor not in known["floors"] or code not in known["codes"]
            if fresh and not change.pages and self._reachable(change):
                raise Broken(f"{change.after.id}: it spreads to {spot.floor} ({code}), and nobody is told")

    def waits_no_longer_than_its_policy(self, change: Change) -> None:
        after, policy = change.after, change.policy
        if not after.open or after.due_at is None:
            return
        gaps = [b.after_s - a.after_s for a, b in zip(policy.steps, policy.steps[1:], strict=False)]
        most: float = max([policy.loop.every_s, *gaps])
        if after.work == Work.VERIFIED or (after.severity > 1 and after.due_reason in MAY_REST):
            most = day_s
        elif after.work in (Work.TAKEN, Work.ON_SITE):
            most = 2 * policy.taken_expires_s
        wait = (after.due_at - change.now).total_seconds()
        if wait > most + SECOND:
            raise Broken(f"{after.id}: {after.work}, waits {wait:.0f} s, its policy allows {most:.0f} s")

    def _reachable(self, change: Change) -> bool:
        policy = change.policy
        roles = frozenset(role for to in (policy.loop.to, *(step.to for step in policy.steps)) for role in to)
        channels = frozenset(channel for step in policy.steps for channel in step.channels)
        if change.after.ack == Ack.ACKNOWLEDGED:  # the room has seen it, and is not paged
            roles -= {Role.CONTROL_ROOM}
        return self.roster.reachable(_plain(roles), change.after.grid_id, channels, change.now)


def _rests(change: Change) -> bool:
    """Nobody is asked now, and rightly so: it kills nobody, and waits, or is told by a summary or in the morning."""
    if change.after.severity == 1:
        return False
    return change.after.due_reason in MAY_REST or change.has("folded") or change.has("withheld")


def _plain(roles: frozenset[Role]) -> frozenset[Role]:
    """Without the steward and the household: whether they may be asked at night is a question of its own."""
    return roles.intersection(POSTS) - {Role.BUILDING_STEWARD}


def _place(standing: Standing) -> tuple[int, int]:
    return standing.round, standing.step


def _ladder(standing: Standing) -> tuple[str, int, int, datetime | None]:
    return standing.work, standing.round, standing.step, standing.due_at


def _acts(change: Change) -> set[Act]:
    """What was done, as the table names it."""
    acts: set[Act] = set()
    if change.pages:
        acts.add(Act.PAGE)
    for line in change.lines:
        if line.kind != "work":
            continue
        if line.reason == Reason.TAKEN_EXPIRED:
            acts.add(Act.EXPIRE)
        elif line.reason == Reason.DECLINED:
            acts.add(Act.DECLINE)
        else:
            acts |= _ACT_OF.get(Work(line.data["work"]), set())
    return acts


_ACT_OF = {
    Work.TAKEN: {Act.ACCEPT},
    Work.ON_SITE: {Act.ARRIVE},
    Work.VERIFIED: {Act.VERIFY},
    Work.CLOSED: {Act.CLOSE},
    Work.EVALUATED: {Act.EVALUATE},
}
