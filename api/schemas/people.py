"""Bodies of people, their contact points, household contacts. References may be ids or codes."""

from typing import Annotated, Self

from pydantic import ConfigDict, Field, model_validator

from api.errors import FieldFault
from api.schemas.common import Body, Code, Instant, Name, Reference, Shown, example
from devices.model import Channel, Language, PersonKind, Relation

reason_chars_max = 200
TimeOfDay = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$", description="local time of day, 08:00")]


class Hours(Body):
    """Between which local times of day a volunteer may be asked; `to` before `from` passes midnight."""

    model_config = ConfigDict(extra="forbid", frozen=True, serialize_by_alias=True)

    from_: Annotated[TimeOfDay, Field(alias="from")]
    to: TimeOfDay

    @model_validator(mode="after")
    def _some_time(self) -> Self:
        if self.from_ == self.to:
            raise FieldFault("hours", "to")
        return self


class PersonIn(Body):
    """A worker, a duty desk or micro fire station, or a volunteer. Posts (deputy, steward, chair ...) are shifts.

    Household contacts are registered under `households`, never here.
    """

    model_config = example({"code": "worker-jia", "name": "网格员甲", "name_en": "Grid worker A"})

    code: Code
    name: Name
    name_en: Annotated[str, Field(max_length=64)] = ""
    kind: PersonKind = PersonKind.WORKER
    language: Language = Language.ZH_CN
    left_at: Annotated[Instant | None, Field(description="From then on never on duty and never rung")] = None
    place_id: Annotated[Reference | None, Field(description="Where the person belongs; decides who may see it")] = None
    hours: Annotated[Hours | None, Field(description="Compulsory for a volunteer; nobody else has any")] = None
    night_calls_consent_at: Annotated[
        Instant | None, Field(description="When the person agreed to night calls (stewards 楼栋长); null revokes it")
    ] = None

    @model_validator(mode="after")
    def _kind_and_hours(self) -> Self:
        if self.kind is PersonKind.HOUSEHOLD:
            raise FieldFault("household_elsewhere", "kind")
        if self.kind is PersonKind.VOLUNTEER and self.hours is None:
            raise FieldFault("volunteer_hours", "hours")
        if self.kind is not PersonKind.VOLUNTEER and self.hours is not None:
            raise FieldFault("only_volunteers", "hours")
        return self


class PersonOut(Shown):
    id: str
    kind: PersonKind
    code: str
    name: str
    name_en: str
    language: Language
    left_at: Instant | None
    place_id: str | None
    hours: Hours | None
    night_calls_consent_at: Instant | None
    version: int


class ContactIn(Body):
    """`address`: a telephone number for sms and voice (13800138000 is read as +86); app takes none."""

    model_config = example({"channel": "sms", "address": "13800138000"})

    channel: Channel
    address: Annotated[str | None, Field(max_length=32)] = None


class UnreachableOut(Shown):
    """A carrier said that this number cannot be reached; it is tried last. `opted_out`: the person told it STOP."""

    since: Instant
    reason: str
    provider: str


class ContactOut(Shown):
    """Numbers are masked: 138****8000. Opted out of: kept, never used."""

    id: str
    channel: Channel
    address: str
    verified_at: Instant | None
    opted_out_at: Instant | None
    unreachable: UnreachableOut | None
    """Until it is verified again, or something comes through."""
    whitelisted: dict[str, Instant]
    """Vendor -> since when its white list has the number."""
    card_saved_at: Instant | None
    guide_done_at: Instant | None


class RevealIn(Body):
    """Why the whole number is needed; it is kept in the audit, without any number it may hold."""

    model_config = example({"reason": "现场无应答，需电话联系"})

    reason: Annotated[str, Field(min_length=2, max_length=reason_chars_max)]


class RevealOut(Shown):
    """The whole number. It stands in this answer only: a repeat with the same Idempotency-Key is another look."""

    id: str
    channel: Channel
    address: str


class ConsentIn(Body):
    """What the person agreed to: that he is named and called while an incident at the flat is open."""

    model_config = example(
        {
            "consent_at": "2025-05-01T08:00:00+08:00",
            "consent_until": "2099-05-01T00:00:00+08:00",
            "consent_how": "paper",
        }
    )

    consent_at: Instant
    consent_until: Instant
    consent_how: Annotated[str, Field(min_length=1, max_length=64, description="paper, spoken, app ...; no number")]

    @model_validator(mode="after")
    def _ends_later(self) -> Self:
        if self.consent_until <= self.consent_at:
            raise FieldFault("consent_period", "consent_until")
        return self


class HouseholdIn(ConsentIn):
    """A contact person of a flat. Without consent in force nobody sees or calls the person."""

    model_config = example(
        {
            "place_id": "room-301",
            "name": "住户甲",
            "relation": "owner",
            "phone": "13800138000",
            "consent_at": "2025-05-01T08:00:00+08:00",
            "consent_until": "2099-05-01T00:00:00+08:00",
            "consent_how": "paper",
        }
    )

    place_id: Annotated[Reference, Field(description="The flat: a room, or a building that is one home")]
    name: Name
    relation: Relation
    phone: Annotated[str | None, Field(max_length=32)] = None
    result_messages: Annotated[
        bool, Field(description="Agreed to hear by text, after an incident at the flat, how it ended")
    ] = False
    needs_help_leaving: bool = False
    language: Language = Language.ZH_CN

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        silent = self.needs_help_leaving and self.relation is not Relation.EMERGENCY_CONTACT
        if self.phone is None and not silent:
            raise FieldFault("household_phone", "phone")
        return self


class HouseholdOut(Shown):
    """That a contact is registered and until when it may be used: neither name nor number nor need."""

    id: str
    place_id: str
    relation: Relation
    has_phone: bool
    phone_verified: bool
    """Only a verified number is called when the flat's detector speaks."""
    result_messages: bool
    consent_at: Instant
    consent_until: Instant
    consent_how: str
    version: int


class HouseholdCheckOut(Shown):
    """How far the check call got, and whether its key verified the number."""

    state: str
    error: str | None
    expires_at: Instant
    denied: bool
    verified: bool


class FlatContact(Shown):
    id: str
    relation: Relation
    consent_until: Instant
    in_force: bool
    version: int


class FlatOut(Shown):
    """How many contacts a flat has, and until when each has agreed."""

    place_id: str
    in_force: int
    expired: int
    contacts: list[FlatContact]


class ToCallOut(Shown):
    """Whom to call while an incident is open, with the whole number."""

    id: str
    place_id: str
    address: str
    """The flat, from the building down."""
    name: str
    relation: Relation
    needs_help_leaving: bool
    language: Language
    phone: str | None


class ToCallList(Shown):
    incident_id: str
    items: list[ToCallOut]
    more: bool
    """There are more than this answer holds."""
