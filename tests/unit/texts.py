"""Every message that the core can make, for the audits: real and nasty places, all purposes, channels and languages."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import msgspec

from alerting.core.context import Context
from alerting.core.drill_words import end_text, end_wording
from alerting.core.household_words import TELLABLE, call, call_text, call_wording, result_sms, result_wording
from alerting.core.messages import render
from alerting.core.model import PlaceText, Purpose
from alerting.core.places import place_text
from alerting.core.probe_words import check_call, check_wording, code_sms, code_wording
from alerting.core.summary_words import (
    Digest,
    DigestLine,
    Summary,
    render_digest,
    render_summary,
    word_digest,
    word_summary,
)
from alerting.core.templates import Wording
from alerting.core.wording import wording
from devices.model import Channel, Language, Placement
from devices.taxonomy import TAXONOMY
from simulators.city import generate_city
from simulators.mission_city import plan_city
from simulators.mission_places import PlaceRow, place_rows
from tests.unit.builders import an_incident
from tests.unit.test_messages_places import BIKE_SHED, FLAT, LIFT, LONG_NAMES, SELF_BUILT, SHOP, placed

AT = datetime(2026, 11, 22, 19, 12, tzinfo=UTC)
TOKEN = "https://gengfu.example/a/" + "_" * 22
EMOJI = placed(("compound", "幸福里🏠小区", "Happy 🏠 Court"), ("building", "3#", "B3"), ("room", "1201🔥", "1201"))
RARE = placed(("compound", "𠮷𡈽𬭳𨭎小区", ""), ("building", "𠮷栋", ""), ("unit", "2单元", "U2"), ("room", "1201", ""))
PHONED = placed(
    ("compound", "机主13800138000的院子", "Call 13800138000"), ("part", "www.example.com门店", "www.example.com")
)
SIGNS = placed(
    ("compound", "【阳光】{社区}<b>", "[Sun] {x} ^~|"), ("building", "3-2#", "3-2#"), ("room", "-1层/A%", "-1/A%")
)
HUGE = placed(
    ("compound", "长" * 200, "Long " * 60),
    ("building", "13号楼", "B13"),
    ("unit", "2单元", "U2"),
    ("room", "1201", "1201"),
)
PAYLOADS = ("front_door", "0x90fd9ffffe6494fc", "Schlafzimmer Rauchmelder", "fire_lane_3", "Fire 160", "deviceName1")
"""Names that devices of other makers send, from recorded messages."""


def from_city() -> Iterator[Placement]:
    """Each shape of place in the two cities of the simulators."""
    seen: set[tuple[object, ...]] = set()
    for row in place_rows(plan_city(4000)):
        shape = tuple(len(level) for level in row[: PlaceRow._fields.index("grid")])
        if row.device and shape not in seen:
            seen.add(shape)
            levels = zip(PlaceRow._fields, row[: PlaceRow._fields.index("grid")], strict=False)
            yield placed(*((kind, name, "") for kind, name in levels if name))


def from_generated() -> Iterator[Placement]:
    city = generate_city(24, 6, 3)
    by_id = {place.id: place for place in city.places}
    for device in city.devices:
        assert device.place_id is not None
        chain = tuple(by_id[each] for each in by_id[device.place_id].path)
        yield Placement(device.id, device.kind, chain, None)


NASTY: tuple[Placement | None, ...] = (
    None, FLAT, SELF_BUILT, SHOP, BIKE_SHED, LIFT, LONG_NAMES, EMOJI, RARE, PHONED, SIGNS, HUGE,
    *(placed(("part", name, name)) for name in PAYLOADS),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Made:
    """One message: as free text, and as a carrier of templates gets it."""

    purpose: Purpose
    channel: Channel
    language: Language
    text: str
    wording: Wording | None
    context: Context | None = None

    @property
    def read(self) -> str:
        """Everything that a person may read or hear of it as free text."""
        if self.channel is Channel.SMS:
            return self.text
        content = msgspec.json.decode(self.text)
        names = ("say", "keys", "recorded", "declined", "missed", "wait") if "say" in content else ("title", "body")
        return " ".join(content[name] for name in names)


INCIDENT_PURPOSES = (
    Purpose.PAGE, Purpose.UPDATE, Purpose.ALL_CLEAR, Purpose.COMMAND, Purpose.DRILL, Purpose.TEST,
)  # fmt: skip
ABILITIES = ((True, True, True), (False, True, True), (False, False, True), (False, False, False))

CROWD = (
    "spreading", "confirmed", "household_confirms", "power_live", "late", "test", "not_recorded", "still_charging",
    "has_voice",
)  # fmt: skip
"""Everything that makes a text long."""


def contexts(code: str, place: PlaceText, *, abilities: bool) -> Iterator[Context]:
    """A plain one (or one with each ability to answer), then the most crowded one."""
    plain = Context(TAXONOMY[code], place, AT, reference="A7K2Q", who_goes="网格员甲")
    for two_way, voice, app in ABILITIES if abilities else ABILITIES[1:2]:
        yield replace(plain, two_way=two_way, has_voice=voice, has_app=app)
    if abilities:
        yield replace(plain, link=TOKEN, answer_url=TOKEN)
    crowd: dict[str, Any] = {
        "spreading": True,
        "confirmed": True,
        "household_confirms": True,
        "power_live": True,
        "late": True,
    }
    more: dict[str, Any] = {"test": True, "not_recorded": True, "still_charging": True, "has_voice": True}
    crowded = replace(plain, unanswered_minutes=13, who_goes="长" * 40, first_out=place, **crowd, **more)
    yield replace(crowded, link=TOKEN, answer_url=TOKEN)


def of_incident(
    code: str,
    placement: Placement | None,
    language: Language,
    *,
    abilities: bool = True,
    channels: Sequence[Channel] = tuple(Channel),
) -> Iterator[Made]:
    place = place_text(placement, "smoke-0123")
    for context, purpose, channel in product(contexts(code, place, abilities=abilities), INCIDENT_PURPOSES, channels):
        text = render(purpose, channel, language, context)
        yield Made(purpose, channel, language, text, wording(purpose, channel, language, context), context)


def of_household(code: str, placement: Placement | None, language: Language) -> Iterator[Made]:
    place, hazard = place_text(placement, "smoke-0123"), TAXONOMY[code]
    script = call_text(call(hazard, place, language, "119"))
    yield Made(Purpose.HOUSEHOLD, Channel.VOICE, language, script, call_wording(hazard, place, language))
    for result, reply in product(sorted(TELLABLE), (False, True)):
        worded = result_wording(result, hazard, place, AT, "Asia/Shanghai", language, reply=reply)
        text = result_sms(result, hazard, place, "03:12", language, reply=reply)
        yield Made(Purpose.RESULT, Channel.SMS, language, text, worded)


def of_summary(code: str, placement: Placement | None, language: Language, **facts: Any) -> Iterator[Made]:
    place = place_text(placement, "smoke-0123")
    for total, channel in product((0, 1, 234), Channel):
        kinds = ((code, 12), ("fire.heat", 2))
        severity = TAXONOMY[code].severity
        summary = Summary(code, severity, place, 12, total, kinds, (place,), "A7K2Q", "i-1", AT, **facts)
        text = render_summary(summary, channel, language)
        yield Made(Purpose.SUMMARY, channel, language, text, word_summary(summary, channel, language))


def of_drill_end(code: str, placement: Placement | None, language: Language) -> Iterator[Made]:
    place = place_text(placement, "smoke-0123")
    incident = an_incident(code, place_text=place, reference="A7K2Q")
    for real, channel in product((False, True), Channel):
        text = end_text(incident, channel, language, "Asia/Shanghai", real=real)
        worded = end_wording(incident, channel, language, "Asia/Shanghai", real=real)
        yield Made(Purpose.ALL_CLEAR, channel, language, text, worded)


def of_contact(language: Language) -> Iterator[Made]:
    yield Made(Purpose.TEST, Channel.SMS, language, code_sms(language, "004711"), code_wording("004711"))
    yield Made(Purpose.TEST, Channel.VOICE, language, check_call(language), check_wording())


def every(code: str, placement: Placement | None, language: Language) -> Iterator[Made]:
    """All of one hazard at one place."""
    yield from of_incident(code, placement, language, abilities=False)
    yield from of_household(code, placement, language)
    yield from of_summary(code, placement, language)
    yield from of_drill_end(code, placement, language)
    yield from of_digest(placement, language)
    yield from of_contact(language)


def of_digest(placement: Placement | None, language: Language) -> Iterator[Made]:
    place = place_text(placement, "smoke-0123")
    line = DigestLine("device.fault", place, AT - timedelta(hours=60), "B2M3")
    digest = Digest(place.zh[:60], "", 34, (("device.fault", 34),), (line,), AT - timedelta(hours=60), AT, "i-1")
    for channel in (Channel.SMS, Channel.APP):
        text = render_digest(digest, channel, language)
        yield Made(Purpose.DIGEST, channel, language, text, word_digest(digest, channel, language))
