"""One message in place of many: what a summary still has to say; what was withheld until the morning. Pure.

Law: a closed or verified incident is not summed up, one that somebody has taken only by what came after; nobody hears
of what he has declined.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from alerting.core.decisions import Decision, Notify
from alerting.core.ladder import Rung, page_rung, placement_of, urgency_of
from alerting.core.model import Incident, Overlay, Paged, PlaceText, Purpose, Reason, Work
from alerting.core.places import place_text
from alerting.core.restraint import Folded, SummaryKey
from alerting.core.summary_words import Summary, newest_in_app, render_summary, word_summary
from alerting.core.world import World
from devices.model import Channel
from devices.resolve import place_by_id
from devices.taxonomy import TAXONOMY, SignalClass

_PHONE = frozenset({Channel.SMS, Channel.VOICE})
SUMMARY_ROUND = -1
"""Beside the rounds of the ladder; the step is the second of the incident, so that each summary is its own intent."""


def matters(
    key: SummaryKey,
    folded: Sequence[Folded],
    incidents: Mapping[str, Incident],
    declined: Collection[tuple[str, str]],
) -> list[Folded]:
    """What of it is still worth a message to this person."""
    return [each for each in folded if _matters(each, incidents.get(each.incident_id), key.recipient_id, declined)]


def worst_of(said: Sequence[Folded], incidents: Mapping[str, Incident]) -> Incident:
    return min(
        (incidents[each.incident_id] for each in said), key=lambda each: (each.severity, each.opened_at, each.id)
    )


def sum_up(
    key: SummaryKey, said: Sequence[Folded], incidents: Mapping[str, Incident], speaking: int, world: World
) -> Notify | None:
    """The summary of what `matters`; None where this person cannot be reached any more.

    `speaking`: devices of the worst incident's class that speak there now.
    """
    person = world.snapshot.people.get(key.recipient_id)
    point = person.contact(key.channel) if person is not None else None
    if person is None or point is None:
        return None
    worst = worst_of(said, incidents)
    fresh = {(each.incident_id, each.place.zh): each for each in said}
    kinds = Counter(each.code for each in fresh.values())
    summary = Summary(
        code=_worst_code(kinds),
        severity=worst.severity,
        building=_building(worst, key.building_id, world),
        fresh=len(fresh),
        total=speaking,
        kinds=tuple(kinds.most_common()),
        newest=tuple(dict.fromkeys(each.place for each in reversed(said)))[:newest_in_app],
        reference=worst.reference,
        incident_id=worst.id,
        at=world.now,
        timezone=world.settings.timezone,
        deployment_language=world.settings.language,
        two_way=world.settings.sms_two_way,
        drill=Overlay.DRILL in worst.overlays,
        test=Overlay.TEST in worst.overlays,
    )
    return Notify(
        incident_id=worst.id,
        round=SUMMARY_ROUND,
        step=max(0, int((world.now - worst.opened_at).total_seconds())),
        recipient_id=person.id,
        recipient_name=person.name,
        channel=key.channel,
        address=point.address,
        language=person.language,
        purpose=Purpose.SUMMARY,
        urgency=urgency_of(worst),
        text=render_summary(summary, key.channel, person.language),
        wording=word_summary(summary, key.channel, person.language),
        reason=Reason.SUMMARY,
    )


def night_over(incident: Incident, paged: Sequence[Paged], world: World) -> list[Decision]:
    """The SMS and calls that waited: to who stands on the steps that were asked by now. The ladder stays as it is."""
    if not incident.open or incident.answered:
        return []
    placement = placement_of(incident, world)
    already = {(page.recipient_id, page.channel) for page in paged if page.round == incident.round}
    made: list[Decision] = []
    for index, step in enumerate(incident.policy.steps[: incident.step + 1]):
        channels = tuple(channel for channel in step.channels if channel in _PHONE)
        rung = Rung(index, incident.round, step.to, channels, step.redial, Reason.NIGHT_OVER)
        pages = page_rung(incident, world, placement, rung, already)
        already.update((page.recipient_id, page.channel) for page in pages)
        made.extend(pages)
    return made


def _matters(folded: Folded, incident: Incident | None, person_id: str, declined: Collection[tuple[str, str]]) -> bool:
    if incident is None or not incident.open or incident.work is Work.VERIFIED:
        return False
    if (incident.id, person_id) in declined and incident.taken_by != person_id:
        return False
    return not incident.answered or _after(folded.at, incident.taken_at)


def _after(at: datetime, taken_at: datetime | None) -> bool:
    return taken_at is None or at > taken_at


def _worst_code(kinds: Mapping[str, int]) -> str:
    order = list(SignalClass)
    return min(kinds, key=lambda code: (TAXONOMY[code].severity, order.index(TAXONOMY[code].cls), -kinds[code], code))


def _building(incident: Incident, building_id: str, world: World) -> PlaceText:
    """The building's own words; where it is gone from the registry, the incident's."""
    placed = place_by_id(world.snapshot, building_id, grid_id=incident.grid_id)
    return place_text(placed, building_id) if placed is not None and placed.chain else incident.place_text
