"""Bodies of places, organisations and compounds. References may be ids or codes."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from api.errors import FieldFault
from api.schemas.common import Body, Code, LatinName, Name, Reference, Shown, example
from devices.model import COMPOUND_TYPES, Committee, CompoundType, OrganisationKind, PictureKind, PlaceKind


class PlaceIn(Body):
    """One node of the tree. `name` is printed verbatim; without `name_en` English texts use the code.

    A place stands below a larger one: city, district, street, community, compound, building, unit, floor, room, where
    levels may be left out; a part 部位 stands below any of them. One parent has one child of a kind and name.
    """

    model_config = example({"kind": "city", "code": "xinyang", "name": "信阳市", "name_en": "Xinyang"})

    kind: PlaceKind
    name: Name
    name_en: LatinName = ""
    code: Code | None = None
    parent_id: Reference | None = None
    lat: Annotated[float | None, Field(ge=-90, le=90, allow_inf_nan=False, description="WGS-84 degrees")] = None
    lon: Annotated[float | None, Field(ge=-180, le=180, allow_inf_nan=False)] = None

    @model_validator(mode="after")
    def _both_coordinates(self) -> Self:
        if (self.lat is None) != (self.lon is None):
            raise FieldFault("coordinates", "lat" if self.lat is None else "lon")
        return self


class PlaceOut(Shown):
    id: str
    kind: PlaceKind
    code: str | None
    name: str
    name_en: str
    parent_id: str | None
    path: list[str]
    lat: float | None
    lon: float | None
    pictures: list[PictureKind]
    """Which there are, at `places/{id}/pictures/{kind}`."""
    version: int


class GapOut(Shown):
    """A place that belongs to no grid, though the place above it does, at least in part."""

    place_id: str
    kind: PlaceKind
    name: str
    path: list[str]
    whole: bool
    """With everything below it; else it alone, because some of what is below it has a grid."""
    rooms: int
    devices: int
    """Both count what the gap holds."""


class PictureOut(Shown):
    place_id: str
    kind: PictureKind
    media_type: str
    width: int
    height: int
    sha256: str
    """Also the picture's ETag."""


class OrganisationIn(Body):
    """A property company 物业公司 (one serves many compounds) or a unit 单位 that supervises or supports compounds."""

    model_config = example({"kind": "property_company", "code": "wuye-1", "name": "物业公司甲"})

    kind: OrganisationKind
    code: Code
    name: Name
    name_en: Annotated[str, Field(max_length=64)] = ""


class OrganisationOut(Shown):
    id: str
    kind: OrganisationKind
    code: str
    name: str
    name_en: str
    version: int


_TYPES = ", ".join(f"{kind} {label}" for kind, (label, _) in COMPOUND_TYPES.items())


class CompoundIn(Body):
    """What a compound 小区 is. Whether it is 三无 is derived and cannot be given."""

    model_config = example({"type": "old", "committee": "none"})

    type: Annotated[CompoundType | None, Field(description=_TYPES)] = None
    committee: Annotated[Committee, Field(description="owners 业委会, self_management 自管委, none")]
    property_company_id: Annotated[Reference | None, Field(description="物业公司: an organisation of that kind")] = None
    supervising_unit_id: Annotated[Reference | None, Field(description="主管单位: an organisation of kind unit")] = None
    partner_unit_id: Annotated[Reference | None, Field(description="包联单位: an organisation of kind unit")] = None


class CompoundOut(Shown):
    """Of every place of kind compound; version 0: nobody has said anything about it yet."""

    id: str
    """Of the place."""
    code: str | None
    name: str
    type: CompoundType | None
    committee: Committee | None
    property_company_id: str | None
    supervising_unit_id: str | None
    partner_unit_id: str | None
    three_without: Annotated[
        bool | None,
        Field(
            description="三无: no property company, no committee and no supervising unit. Derived; null at version 0"
        ),
    ]
    version: int
