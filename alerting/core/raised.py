"""What a person tells us who raises an incident, as the timeline keeps it: by what way, where, note, pictures. Pure."""

from alerting.core.decisions import Record
from alerting.core.model import Actor, Reason
from alerting.core.signal import SignalIn


def raised_record(incident_id: str, signal: SignalIn, actor: Actor, *, joined: bool) -> Record:
    """`joined`: an incident that was open took it in."""
    said = signal.raised
    assert said is not None
    detail = {
        "code": signal.code,
        "place": signal.place_id,
        "raised_via": said.via.value,
        "note": said.note,
        "media": list(said.media) or None,
        "joined": joined,
    }
    return Record(incident_id, "raised", actor, Reason.RAISED, detail)
