"""What those hear who were asked in a drill, when it ends: over, or stopped by a real alarm. Never sends.

Law: every one of these texts begins with 演练 or DRILL, so that nobody takes it for the end of a real alarm.
"""

import msgspec

from alerting.core.context import is_fire
from alerting.core.fitting import fitted
from alerting.core.languages import PACKS, label, named
from alerting.core.languages.base import DrillEnd
from alerting.core.messages import AppMessage, CallScript, local_time
from alerting.core.model import Incident, Purpose
from alerting.core.places import is_unplaced
from alerting.core.templates import Wording
from alerting.core.wording import said, told, told_heard_by_s
from devices.model import Channel, Language
from devices.taxonomy import TAXONOMY


def end_text(incident: Incident, channel: Channel, language: Language, timezone: str, *, real: bool) -> str:
    """The message of one channel, as `messages.render` gives the others. `real`: a real alarm stopped it."""
    pack = PACKS[language]
    end = pack.drill_stopped if real else pack.drill_over
    slots = _slots(incident, language, timezone)
    match channel:
        case Channel.SMS:
            return fitted(end.sms, slots, language, is_unplaced(incident.place_text))
        case Channel.VOICE:
            return msgspec.json.encode(_script(end, language)).decode()
        case Channel.APP:
            return msgspec.json.encode(_message(end, incident, slots, timezone)).decode()


def end_wording(
    incident: Incident, channel: Channel, language: Language, timezone: str, *, real: bool
) -> Wording | None:
    """The same for carriers that take registered templates only."""
    words, slots = PACKS[language].carrier, _slots(incident, language, timezone)
    what = (words.drill_stopped if real else words.drill_over).format_map(slots)
    drilled = words.drilled.format_map(slots)
    match channel:
        case Channel.SMS:
            return told(what, drilled, incident.place_text, slots["time"], incident.reference, language)
        case Channel.VOICE:
            whole = words.join_spoken.join((PACKS[language].script.sentence(what), drilled))
            return said("voice_told", whole, incident.place_text, language, heard_by_s=told_heard_by_s)
        case Channel.APP:
            return None


def _slots(incident: Incident, language: Language, timezone: str) -> dict[str, str]:
    hazard = TAXONOMY[incident.code]
    return {
        "hazard": PACKS[language].words.fire_within if is_fire(hazard) else label(hazard, language),
        "place": named(incident.place_text, language),
        "time": f"{local_time(incident.opened_at, timezone):%H:%M}",
        "reference": PACKS[language].script.plain(incident.reference),
    }


def _script(end: DrillEnd, language: Language) -> CallScript:
    speech = PACKS[language].words.speech
    return CallScript(
        language=language,
        say=end.say.strip(),
        keys=speech.keys_told,
        recorded=speech.recorded_told,
        declined=speech.declined_told,
        missed=speech.missed_told,
        wait=speech.wait,
    )


def _message(end: DrillEnd, incident: Incident, slots: dict[str, str], timezone: str) -> AppMessage:
    return AppMessage(
        title=end.title,
        body=end.body.format_map(slots),
        hazard=incident.code,
        severity=incident.severity,
        place=slots["place"],
        at=local_time(incident.opened_at, timezone).isoformat(timespec="seconds"),
        reference=incident.reference,
        map_url="",
        incident_id=incident.id,
        purpose=Purpose.ALL_CLEAR,
        actions=(),
    )
