"""Bodies of devices, their models, identities, enrolment, flats and labels. References may be ids or codes."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from alerting.core.model import Action
from api.errors import FieldFault
from api.schemas.common import Body, Code, DeviceId, Instant, Reference, Shown, example
from devices.identities import identity_chars_max, label_chars_max
from devices.model import DeviceState, FlatStatus, IdentityKind, PlacementReason

ports_max = 64
box_list_rows_max = 1000
labels_at_once_max = 1000

Kind = Annotated[str, Field(min_length=1, max_length=32, pattern=r"^[a-z0-9_]+$")]
"""smoke_detector, camera, charging_station ...: words for people, never a rule."""
Dialect = Annotated[str, Field(min_length=1, max_length=32, pattern=r"^[a-z0-9_]+$")]
Codec = Annotated[str, Field(min_length=1, max_length=64)]
Window = Annotated[int, Field(ge=10, le=31_536_000, description="Seconds a device may be quiet")]
Sentence = Annotated[str, Field(min_length=1, max_length=200)]


class ModelIn(Body):
    """What all devices of one make have in common, and what their walk test must show."""

    model_config = example(
        {"code": "hk-nb-smoke", "maker": "Hikvision", "model": "NP-FY300-NB", "kind": "smoke_detector"}
    )

    code: Code
    maker: Annotated[str, Field(min_length=1, max_length=64)]
    model: Annotated[str, Field(min_length=1, max_length=64)]
    kind: Kind
    dialect: Dialect = "plain"
    codec: Codec = "gengfu_plain"
    supervision_window_s: Window | None = None
    battery_type: Annotated[str | None, Field(max_length=32)] = None
    ports: Annotated[int, Field(ge=0, le=ports_max, description="Of a charging station")] = 0
    restores: Annotated[bool, Field(description="It says by itself when all is well again")] = True
    walk_test_s: Annotated[int, Field(ge=10, le=3600, description="NB-IoT detectors need up to 180 s")] = 180
    signal_dbm_min: Annotated[int | None, Field(ge=-150, le=0)] = None
    actions: Annotated[
        tuple[Action, ...],
        Field(max_length=len(Action), description="What its devices can be made to do; each needs its own permission"),
    ] = ()


class ModelOut(Shown):
    id: str
    code: str
    maker: str
    model: str
    kind: str
    dialect: str
    codec: str
    supervision_window_s: int | None
    battery_type: str | None
    ports: int
    restores: bool
    walk_test_s: int
    signal_dbm_min: int | None
    actions: list[Action]
    version: int


class IdentityIn(Body):
    """A name under which a sender knows the device. Without `dialect`: the model's, else plain."""

    model_config = example({"kind": "imei", "value": "861234567890127"})

    kind: IdentityKind
    value: Annotated[str, Field(min_length=1, max_length=2 * identity_chars_max)]
    dialect: Dialect | None = None


class IdentityOut(Shown):
    kind: IdentityKind
    value: str
    dialect: str


Identities = Annotated[tuple[IdentityIn, ...], Field(max_length=8)]


class DeviceFields(Body):
    """What may change of a device. `state` absent: it stays. commissioned comes from a walk test only, out_of_service
    from `out-of-service`. A commissioned device that gets another place is to be tested again."""

    model_config = example({"kind": "smoke_detector", "place_id": "xinyang", "state": "installed"})

    kind: Kind
    place_id: Reference | None = None
    codec: Codec = "gengfu_plain"
    state: DeviceState | None = None
    test_mode_until: Instant | None = None
    supervision_window_s: Window | None = None
    model: Annotated[Reference | None, Field(description="id or code of a model")] = None
    gateway_id: Annotated[DeviceId | None, Field(description="The radio gateway through which it speaks")] = None
    identities: Identities = ()


class DeviceIn(DeviceFields):
    """`id` is the device's own name: its MQTT username and topic segment. It never changes."""

    model_config = example({"id": "smoke-0001", "kind": "smoke_detector", "place_id": "xinyang"})

    id: DeviceId


class DeviceOut(Shown):
    """`commissioned` false: 未验收, its alarm was not yet seen to come through where it hangs."""

    id: str
    kind: str
    place_id: str | None
    codec: str
    state: DeviceState
    commissioned: bool
    test_mode: bool
    test_mode_until: Instant | None
    supervision_window_s: int | None
    model: str | None
    gateway_id: str | None
    identities: list[IdentityOut]
    parent_id: str | None
    port: int | None
    label: str | None
    out_of_service_until: Instant | None
    out_of_service_reason: str | None
    replaced_by: str | None
    has_credential: bool
    created_at: Instant
    version: int


class CredentialOut(Shown):
    """Shown once."""

    username: str
    secret: str


class PlacementOut(Shown):
    """A stay; `place_id` null: nowhere."""

    place_id: str | None
    place: str | None
    """In words."""
    from_at: Instant
    to_at: Instant | None
    reason: PlacementReason


class PlacementsOut(Shown):
    """The first one first."""

    items: list[PlacementOut]


class OutOfServiceIn(Body):
    """Until an instant or for some hours, at most 90 days; it ends by itself."""

    model_config = example({"hours": 8, "reason": "楼道装修，断电"})

    reason: Sentence
    until: Instant | None = None
    hours: Annotated[int | None, Field(ge=1, le=90 * 24)] = None

    @model_validator(mode="after")
    def _one_end(self) -> Self:
        if (self.until is None) == (self.hours is None):
            raise FieldFault("one_end", "until")
        return self


class EnrolmentIn(Body):
    """`label`: whatever the scanner read from the device: the maker's QR code or bar code, or our own label."""

    model_config = example({"label": "IMEI:861234567890127", "model": "hk-nb-smoke", "place_id": "xinyang"})

    label: Annotated[str, Field(max_length=2 * label_chars_max)]
    place_id: Reference
    model: Annotated[Reference | None, Field(description="id or code; a preloaded device has one")] = None
    kind: Kind | None = None
    id: Annotated[DeviceId | None, Field(description="Wanted name of a new device; else made of its identity")] = None


class ReplaceIn(Body):
    """The device that takes the place: by what its label says, or by its id. Without `model`: like the old one."""

    model_config = example({"label": "IMEI:861234567890226"})

    label: Annotated[str | None, Field(max_length=2 * label_chars_max)] = None
    id: DeviceId | None = None
    model: Reference | None = None


class WalkTestDue(Shown):
    """What comes next."""

    path: str
    seconds: int
    restores: bool
    signal_dbm_min: int | None


class EnrolmentOut(Shown):
    """All that the installer's screen shows next. `secret` is shown once; the ports speak through their station."""

    id: str
    username: str
    secret: str
    device: DeviceOut
    ports: list[str]
    place: str
    """In words."""
    label: str
    """Grouped for reading: 7K3M-9XQ2."""
    flat_id: str | None
    walk_test: WalkTestDue
    replaced: str | None


class BoxRow(Body):
    """One device of the supplier's list: its model and at least one identity."""

    model_config = example({"model": "hk-nb-smoke", "identities": [{"kind": "imei", "value": "861234567890325"}]})

    model: Reference
    identities: Annotated[tuple[IdentityIn, ...], Field(min_length=1, max_length=8)]
    id: DeviceId | None = None


class BoxListIn(Body):
    """A supplier's box list: stock that is known before it hangs anywhere. The same list again changes nothing."""

    model_config = example(
        {"items": [{"model": "hk-nb-smoke", "identities": [{"kind": "imei", "value": "861234567890325"}]}]}
    )

    items: Annotated[tuple[BoxRow, ...], Field(min_length=1, max_length=box_list_rows_max)]


class BoxListOut(Shown):
    created: int
    known: int
    ids: list[str]
    """In the order of the list."""


class FlatIn(Body):
    """How the installer leaves a flat."""

    model_config = example({"status": "nobody_home", "note": "下午再来"})

    status: FlatStatus
    note: Annotated[str | None, Field(max_length=200)] = None


class FlatOut(Shown):
    """`status` null: nobody was there yet."""

    place_id: str
    name: str
    name_en: str
    place: str
    """In words, from the compound down."""
    status: FlatStatus | None
    note: str | None
    visited_at: Instant | None
    visited_by: str | None
    version: int | None


class FlatsOut(Shown):
    """`counts`: flats per status of everything below the place, `not_visited` included."""

    items: list[FlatOut]
    next: str | None
    counts: dict[str, int]


class LabelsIn(Body):
    """Devices to give a code for their printed label: by id, or all below a place."""

    model_config = example({"device_ids": ["smoke-0001"]})

    device_ids: Annotated[tuple[DeviceId, ...], Field(max_length=labels_at_once_max)] = ()
    under: Annotated[Reference | None, Field(description="id or code of a place")] = None


class LabelOut(Shown):
    device_id: str
    label: str
    text: str
    """Grouped for reading: 7K3M-9XQ2."""


class LabelsOut(Shown):
    items: list[LabelOut]
    made: int
    """Codes that are new."""
