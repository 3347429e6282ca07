"""Bodies of push subscriptions and of users of work apps. No answer holds an endpoint or a key."""

from typing import Annotated, Self

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from api.errors import FieldFault
from api.schemas.common import Body, Instant, Shown, example
from devices.model import AppCarrier

Coded = Annotated[str, Field(min_length=1, max_length=128, description="base64url")]
UserId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.@:-]{1,64}$")]


class PushKeys(Body):
    p256dh: Coded
    auth: Coded


class PushSubscription(Body):
    """What `PushSubscription.toJSON()` says in the browser, as it is."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    endpoint: Annotated[str, Field(min_length=1, max_length=2048)]
    keys: PushKeys
    expiration_time: Annotated[float | None, Field(alias="expirationTime", description="Taken and not used")] = None


class SubscriptionIn(Body):
    """Where one app finds the person: a browser (`webpush` with `subscription`), or a user of WeCom, DingTalk or Feishu
    (with `user_id`)."""

    model_config = example({"carrier": "wecom", "user_id": "worker-jia"})

    carrier: AppCarrier
    subscription: PushSubscription | None = None
    user_id: UserId | None = None
    label: Annotated[str, Field(max_length=64, description="For people: which telephone or computer")] = ""

    @model_validator(mode="after")
    def _as_the_carrier_wants(self) -> Self:
        push = self.carrier is AppCarrier.WEBPUSH
        if push and self.subscription is None:
            raise FieldFault("push_missing", "subscription")
        if push and self.user_id is not None:
            raise FieldFault("user_id_not_here", "user_id")
        if not push and self.user_id is None:
            raise FieldFault("user_id_missing", "user_id")
        if not push and self.subscription is not None:
            raise FieldFault("push_not_here", "subscription")
        return self


class SubscriptionOut(Shown):
    """`where`: the push service or the user id. `created_at`: or renewed. `confirmed_at`: the last message that the app
    itself reported. Gone: kept to be seen, never used; subscribing again revives it."""

    id: str
    carrier: AppCarrier
    where: str
    label: str
    created_at: Instant
    confirmed_at: Instant | None
    last_sent_at: Instant | None
    gone_at: Instant | None
    gone_reason: str | None


class PushKeyOut(Shown):
    """`applicationServerKey` for `pushManager.subscribe`."""

    public_key: str
