"""`[routing]`: orders by country take the place of the built-in ones; a name that is no carrier is refused."""

import pytest
from pydantic import ValidationError

from alerting.core.routing import EVERYWHERE, ORDERS
from devices.model import Channel
from gengfu.settings_routing import RoutingOptions


def test_nothing_set_is_the_built_in_order() -> None:
    assert RoutingOptions().orders() == ORDERS


def test_one_country_is_set_and_the_others_stay() -> None:
    options = RoutingOptions(sms={"+86": ("tencent", "aliyun"), "default": ("sns",)}, app=("wecom",))
    orders = options.orders()
    assert orders[Channel.SMS] == {"+86": ("tencent", "aliyun"), EVERYWHERE: ("sns",)}
    assert orders[Channel.VOICE] == ORDERS[Channel.VOICE]
    assert orders[Channel.APP][EVERYWHERE] == ("stream", "wecom")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"sms": {"+86": ("alyun",)}}, "'alyun', which is no carrier; there are: aliyun"),
        ({"voice": {"86": ("aliyun",)}}, "neither a country calling code such as +86 nor `default`"),
        ({"app": ("wechat",)}, "'wechat', which is no carrier"),
        ({"fax": {}}, "Extra inputs"),
    ],
)
def test_what_is_refused(given: dict[str, object], words: str) -> None:
    with pytest.raises(ValidationError, match=words.replace("+", r"\+")):
        RoutingOptions.model_validate(given)
