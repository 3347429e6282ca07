"""Bodies of readiness: what is known of a worker's phone and of a provider's account. Never shows a number."""

from typing import Annotated

from pydantic import Field

from alerting.core.readiness import What, Word
from api.schemas.common import Body, Instant, Reference, Shown, example
from devices.model import Channel


class ItemOut(Shown):
    """One thing looked at. `fault`: known to be wrong; `unknown`: nobody has proved it."""

    what: What
    name: str
    word: Word
    channel: Channel | None
    about: str
    """The vendor or carrier it is about; "" for none."""
    since: Instant | None
    detail: str
    remedy: str | None
    """What to do, in the caller's language; null where all is well."""


class PhoneOut(Shown):
    """One phone and its daily message. `subscription_id`: null for the app's own stream. `untapped_since`: the first
    message since the last tap. `refused`: why the carrier would not take the last one. `word`: `fine` where it was
    tapped no later than a day after that."""

    carrier: str
    subscription_id: str | None
    name: str
    """The vendor and what its owner calls it."""
    word: Word
    sent_at: Instant | None
    tapped_at: Instant | None
    untapped_since: Instant | None
    refused: str | None


class WorkerReadiness(Shown):
    """`ready`: no item is a fault. `phones`: each gets a self-test message of its own."""

    id: str
    code: str
    name: str
    ready: bool
    faults: int
    unknown: int
    items: list[ItemOut]
    phones: list[PhoneOut]


class WorkerReadinessPage(Shown):
    """`not_ready`: of the workers on this page."""

    not_ready: int
    items: list[WorkerReadiness]
    next: str | None


class FindingOut(Shown):
    about: str
    name: str
    word: Word
    detail: str
    """One English sentence with the remedy, where there is something to say."""
    since: Instant | None


class ProviderReadiness(Shown):
    provider: str
    channel: Channel
    ready: bool
    checked_at: Instant
    balance: str | None
    last_accepted_at: Instant | None
    last_receipt_at: Instant | None
    findings: list[FindingOut]


class ProvidersReadiness(Shown):
    """`ready`: no account has a fault."""

    ready: bool
    items: list[ProviderReadiness]


class CheckAsked(Shown):
    asked_at: Instant


class WhiteListIn(Body):
    """`listed` false: the vendor took the number off its list."""

    model_config = example({"vendor": "aliyun", "listed": True})

    vendor: Reference
    listed: bool = True


class GuideDoneIn(Body):
    """Which guide was followed."""

    model_config = example({"brand": "huawei"})

    brand: Annotated[str, Field(pattern=r"^(huawei|xiaomi|oppo|vivo|honor|samsung|apple|other)$")]


class TapIn(Body):
    """The id that the self-test message carries."""

    model_config = example({"test_id": "0123456789abc"})

    test_id: Annotated[str, Field(pattern=r"^[0-9A-Za-z-]{1,13}$")]


class SaidOut(Shown):
    at: Instant


class GuideOut(Shown):
    brand: str
    name: str
    steps: list[str]


class GuidesOut(Shown):
    note: str
    items: list[GuideOut]
