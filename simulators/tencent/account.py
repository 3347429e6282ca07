"""What a customer has at Tencent: keys, applications, templates, packages, callback addresses. Plain data."""

import re
from dataclasses import dataclass, field

_number = re.compile(r"\{(\d+)\}")


@dataclass(slots=True)
class Template:
    """One registered text, `{1}`, `{2}` ... its variables. status: 0 in force, 1 in review, -1 refused."""

    text: str
    status: int = 0
    variable_chars_max: int = 35

    def problem(self, values: list[str]) -> str | None:
        """The code with which Tencent refuses these values."""
        if self.status != 0:
            return "FailedOperation.TemplateUnapprovedOrNotExist"
        if len(values) != len(set(_number.findall(self.text))):
            return "FailedOperation.TemplateParamSetNotMatchApprovedTemplate"
        if any("http" in value or "www." in value for value in values):
            return "InvalidParameterValue.ProhibitedUseUrlInTemplateParameter"
        if any(len(value) > self.variable_chars_max for value in values):
            return "InvalidParameterValue.TemplateParameterLengthLimit"
        return None

    def filled(self, values: list[str]) -> str:
        """The text with its values."""
        return _number.sub(lambda found: values[int(found.group(1)) - 1], self.text)


@dataclass(frozen=True, slots=True)
class Sign:
    """One signature. status: 0 in force, 1 in review, -1 refused."""

    name: str
    status: int = 0


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the customer wants to be called back; None: nowhere."""

    sms: str | None = None
    voice: str | None = None
    up: str | None = None


@dataclass(slots=True)
class Account:
    """One account. returns_context: SessionContext comes back in receipts too, which Tencent does on request only."""

    secret_id: str
    secret_key: str = field(repr=False)
    sms_app_id: str = "1400006666"
    voice_app_id: str = "1400007777"
    signs: list[Sign] = field(default_factory=lambda: [Sign("阳光社区")])
    sms_templates: dict[str, Template] = field(default_factory=dict)
    voice_templates: dict[str, Template] = field(default_factory=dict)
    package_texts: int | None = 1_000
    """None: no packages, each text is billed."""
    returns_context: bool = False
