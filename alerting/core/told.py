"""Who is told what besides being asked to go: one update to each person paged, one all clear at the end. Pure.

Law: only whom a page may have reached is told; never the one who acted; an all clear once for one incident and person.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from alerting.core import ladder
from alerting.core.context import Context
from alerting.core.decisions import Decision, Notify
from alerting.core.languages import PACKS
from alerting.core.model import Actor, AttemptState, Incident, Paged, Purpose, Reason
from alerting.core.world import World
from devices.model import Channel, Language, Person, PersonKind
from devices.resolve import on_duty

_UNREACHED = (AttemptState.PLANNED, AttemptState.CANCELED, AttemptState.REJECTED)
_BY_APP = (AttemptState.PROVIDER_ACCEPTED, AttemptState.DELIVERED)


def updates(incident: Incident, actor: Actor, paged: Sequence[Paged], world: World) -> list[Decision]:
    """One line to each other person whom a page may have reached: who goes."""
    context = ladder.context_of(incident, world)
    made: list[Decision] = []
    for recipient_id, pages in _reached(paged).items():
        person = _known(recipient_id, actor, world)
        if person is not None:
            told = replace(context, who_goes=_name(actor, person.language, world))
            made.extend(_tell(incident, world, person, pages, Purpose.UPDATE, told, Reason.TAKEN))
    return made


def all_clear(incident: Incident, actor: Actor, paged: Sequence[Paged], world: World, reason: Reason) -> list[Decision]:
    """One line to everybody whom a page may have reached, and to whom the policy names: nobody need go any more."""
    had = {page.recipient_id for page in paged if page.purpose is Purpose.ALL_CLEAR}
    reached = _reached(paged)
    context = ladder.context_of(incident, world)
    made: list[Decision] = []
    for recipient_id in dict.fromkeys([*reached, *_named(incident, world)]):
        person = None if recipient_id in had else _known(recipient_id, actor, world)
        if person is not None:
            pages = reached.get(recipient_id, [])
            made.extend(_tell(incident, world, person, pages, Purpose.ALL_CLEAR, context, reason))
    return made


def _reached(paged: Iterable[Paged]) -> dict[str, list[Paged]]:
    found: dict[str, list[Paged]] = {}
    for page in paged:
        if page.purpose.asks and page.state not in _UNREACHED:
            found.setdefault(page.recipient_id, []).append(page)
    return found


def _named(incident: Incident, world: World) -> list[str]:
    """Who is on duty now on the posts that the policy tells at the end."""
    placement = ladder.placement_of(incident, world)
    roles = incident.policy.told_at_end
    return [person.id for role in roles for person in on_duty(world.snapshot, placement, role, world.now)]


def _known(recipient_id: str, actor: Actor, world: World) -> Person | None:
    """Not who acted; a household hears the result in words of its own."""
    person = None if recipient_id == actor.person_id else world.snapshot.people.get(recipient_id)
    return None if person is None or person.kind is PersonKind.HOUSEHOLD else person


def _name(actor: Actor, language: Language, world: World) -> str:
    """The actor's name as the reader can read it."""
    goer = world.snapshot.people.get(actor.person_id or "")
    return goer.name_en or actor.name if goer and PACKS[language].script.latin_names else actor.name


def _tell(
    incident: Incident,
    world: World,
    person: Person,
    pages: Sequence[Paged],
    purpose: Purpose,
    context: Context,
    reason: Reason,
) -> list[Notify]:
    """By app where the app took the page, else by SMS; never by a call."""
    by_app = any(page.channel is Channel.APP and page.state in _BY_APP for page in pages)
    for channel in (Channel.APP, Channel.SMS) if by_app else (Channel.SMS, Channel.APP):
        notice = ladder.message(incident, world, person, channel, purpose, context)
        if notice is not None:
            return [replace(notice, reason=reason)]
    return []
