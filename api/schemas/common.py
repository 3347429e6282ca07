"""Field types and the base of all bodies. Never asks a database."""

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from api.errors import FieldFault

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64)]
LatinName = Annotated[str, StringConstraints(strip_whitespace=True, max_length=32, pattern=r"^[ -~]*$")]
"""Short and plain ASCII: it goes into English texts of one SMS part."""
Code = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:-]{1,64}$")]
DeviceId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{4,64}$")]
"""Also the MQTT username and topic segment."""
Reference = Annotated[str, StringConstraints(min_length=1, max_length=64)]
"""The id or the code of something registered."""


def _utc(instant: datetime) -> datetime:
    try:
        return instant.astimezone(UTC)
    except OverflowError:
        raise FieldFault("datetime") from None


Instant = Annotated[AwareDatetime, AfterValidator(_utc)]
"""Any zone in, UTC out."""


class Body(BaseModel):
    """A request: unknown fields are errors, and so is U+0000, which PostgreSQL keeps in no text."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _no_nul(cls, value: Any) -> Any:
        if isinstance(value, dict):
            for name, text in value.items():
                if isinstance(text, str) and "\0" in text:
                    raise FieldFault("nul", name if name in cls.model_fields else "")
        return value


class Shown(BaseModel):
    """An answer."""

    model_config = ConfigDict(frozen=True)


def example(document: dict[str, Any]) -> ConfigDict:
    """A model configuration with a minimal body that works as it stands."""
    return ConfigDict(extra="forbid", frozen=True, json_schema_extra={"examples": [document]})


Patch = Annotated[dict[str, Any], Field(description="JSON merge patch (RFC 7396): any of the fields of PUT")]
