"""What those hear who were asked in a drill, when it ends: over, or stopped by a real alarm. Never sends.

Law: every one of these texts begins with 演练 or DRILL, so that nobody takes it for the end of a real alarm.
"""

from dataclasses import dataclass

import msgspec

from alerting.core.context import is_fire
from alerting.core.fitting import by_language, fitted
from alerting.core.messages import AppMessage, CallScript, local_time
from alerting.core.model import Incident, Purpose
from alerting.core.parts import to_gsm7
from alerting.core.places import clean, is_unplaced
from alerting.core.words import CATALOGUE, Piece
from devices.model import Channel, Language
from devices.taxonomy import TAXONOMY


@dataclass(frozen=True, slots=True)
class _End:
    """How one end of a drill is said in one language."""

    sms: tuple[Piece, ...]
    title: str
    body: str
    say: str


_OVER = {
    Language.ZH_CN: _End(
        sms=(
            Piece("演练结束：{hazard}，"),
            Piece("{place}"),
            Piece("，{time}"),
            Piece("。感谢参与", drop=1),
            Piece("。编号{reference}"),
        ),
        title="演练结束",
        body="演练已结束，感谢参与。编号{reference}",
        say="演练结束，感谢参与。",
    ),
    Language.EN: _End(
        sms=(
            Piece("DRILL OVER: {hazard} at "),
            Piece("{place}"),
            Piece(", {time}."),
            Piece(" Thank you.", drop=1),
            Piece(" Ref {reference}"),
        ),
        title="DRILL OVER",
        body="DRILL OVER. Thank you for taking part. Ref {reference}",
        say="Drill over. Thank you for taking part. ",
    ),
}
_STOPPED = {
    Language.ZH_CN: _End(
        sms=(
            Piece("演练中止：本网格有真实警情，请只按真实通知行动。"),
            Piece("演练地点", drop=1),
            Piece("{place}"),
            Piece("。编号{reference}"),
        ),
        title="演练中止：有真实警情",
        body="演练已中止：本网格有真实警情，请只按真实通知行动。编号{reference}",
        say="演练中止。本网格有真实警情，请只按真实通知行动。",
    ),
    Language.EN: _End(
        sms=(
            Piece("DRILL STOPPED: there is a REAL alarm in this grid. Follow only the real messages."),
            Piece(" The drill was at", drop=1),
            Piece(" {place}."),
            Piece(" Ref {reference}"),
        ),
        title="DRILL STOPPED: REAL ALARM",
        body="DRILL STOPPED: there is a REAL alarm in this grid. Follow only the real messages. Ref {reference}",
        say="Drill stopped. There is a real alarm in this grid. Follow only the real messages. ",
    ),
}


def end_text(incident: Incident, channel: Channel, language: Language, timezone: str, *, real: bool) -> str:
    """The message of one channel, as `messages.render` gives the others. `real`: a real alarm stopped it."""
    end = (_STOPPED if real else _OVER)[language]
    slots = _slots(incident, language, timezone)
    match channel:
        case Channel.SMS:
            return fitted(end.sms, slots, language, is_unplaced(incident.place_text))
        case Channel.VOICE:
            return msgspec.json.encode(_script(end, language)).decode()
        case Channel.APP:
            return msgspec.json.encode(_message(end, incident, slots, timezone)).decode()


def _slots(incident: Incident, language: Language, timezone: str) -> dict[str, str]:
    hazard = TAXONOMY[incident.code]
    plain = by_language(language, clean, to_gsm7)
    label = by_language(language, hazard.zh, hazard.en)
    return {
        "hazard": CATALOGUE[language].fire_within if is_fire(hazard) else label,
        "place": plain(incident.place_text.of(language)),
        "time": f"{local_time(incident.opened_at, timezone):%H:%M}",
        "reference": plain(incident.reference),
    }


def _script(end: _End, language: Language) -> CallScript:
    speech = CATALOGUE[language].speech
    return CallScript(
        language=language,
        say=end.say.strip(),
        keys=speech.keys_told,
        recorded=speech.recorded_told,
        declined=speech.declined_told,
        missed=speech.missed_told,
        wait=speech.wait,
    )


def _message(end: _End, incident: Incident, slots: dict[str, str], timezone: str) -> AppMessage:
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
