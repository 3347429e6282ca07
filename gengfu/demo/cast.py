"""Who and what a story names: people, devices, hazards, steps, in the reader's language. Never talks to anybody."""

from dataclasses import dataclass, replace

from alerting.core.policy import DEFAULTS
from devices.model import Channel, Language
from devices.taxonomy import TAXONOMY
from gengfu.demo.words import Speaker, role
from simulators.city import City
from simulators.kinds import KINDS


def city_for(city: City, language: Language) -> City:
    """The city as its reader needs it: in the English demonstration everybody reads English."""
    if language is Language.ZH_CN:
        return city
    return replace(city, people=tuple(replace(person, language=language) for person in city.people))


@dataclass(frozen=True, slots=True)
class Cast:
    """Names of everything in one city."""

    city: City
    speaker: Speaker

    @property
    def chinese(self) -> bool:
        return self.speaker.language is Language.ZH_CN

    def person(self, person_id: str | None) -> str:
        for person in self.city.people:
            if person.id == person_id:
                return person.name if self.chinese else person.name_en
        return person_id or ""

    def recipient_of(self, number: str) -> str:
        """Whose telephone number this is; the number itself when it is nobody's."""
        for person in self.city.people:
            if any(point.address == number for point in person.contacts if point.channel is not Channel.APP):
                return person.id
        return number

    def kind(self, device_id: str) -> str:
        """What sort of device this is, in words."""
        kind = KINDS[self.city.device(device_id).kind]
        return kind.zh if self.chinese else kind.en

    def hazard(self, code: str) -> str:
        hazard = TAXONOMY[code]
        return hazard.zh if self.chinese else hazard.en

    def roles(self, policy_name: str, step: int) -> str:
        """Who stands on a step of a shipped policy."""
        for policy in DEFAULTS:
            if policy.name == policy_name and step < len(policy.steps):
                names = [role(self.speaker.language, each) for each in policy.steps[step].to]
                return self.speaker.say("and").join(names)
        return "-"
