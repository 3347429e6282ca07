"""The pages of Alibaba Cloud, Tencent Cloud and Amazon SNS: each registered text, each setting, examples that load."""

import re
import tomllib

import pytest
from pydantic import BaseModel

from alerting.core.templates import TEMPLATES, Style, registered
from devices.model import Language
from gengfu.settings_aliyun import AliyunOptions
from gengfu.settings_sns import SnsOptions
from gengfu.settings_tencent import TencentOptions
from gengfu.settings_twilio import TwilioOptions
from tests.architecture.test_docs import blocks, text_of

ALIYUN = ("docs/providers/aliyun.md", "docs/zh-CN/providers/aliyun.md")
TENCENT = ("docs/providers/tencent.md", "docs/zh-CN/providers/tencent.md")
SNS = ("docs/providers/sns.md", "docs/zh-CN/providers/sns.md")
TWILIO = ("docs/providers/twilio.md", "docs/zh-CN/providers/twilio.md")
_tables: dict[str, tuple[str, type[AliyunOptions | TencentOptions | SnsOptions | TwilioOptions]]] = {
    "aliyun.md": ("aliyun", AliyunOptions),
    "tencent.md": ("tencent", TencentOptions),
    "sns.md": ("sns", SnsOptions),
    "twilio.md": ("twilio", TwilioOptions),
}
_SETTINGS_ROW = re.compile(r"^\| ((?:`[a-z_]+`(?:, )?)+) \|", re.MULTILINE)


@pytest.mark.parametrize("page", [*ALIYUN, *TENCENT])
def test_every_registered_text_stands_on_the_page(page: str) -> None:
    style = Style.ALIYUN if page in ALIYUN else Style.TENCENT
    text = text_of(page)
    for name in TEMPLATES:
        for language in Language:
            words = registered(name, language, style)
            assert f"| `{name}` | {language.value} |" in text, (name, language)
            assert f"`{words}`" in text, f"{page} has other words for {name}/{language.value}"


@pytest.mark.parametrize(
    ("page", "options", "heading"),
    [
        (ALIYUN[0], AliyunOptions, "## 6."),
        (ALIYUN[1], AliyunOptions, "## 6."),
        (TENCENT[0], TencentOptions, "## 5."),
        (TENCENT[1], TencentOptions, "## 5."),
        (SNS[0], SnsOptions, "## 2."),
        (SNS[1], SnsOptions, "## 2."),
        (TWILIO[0], TwilioOptions, "## 4."),
        (TWILIO[1], TwilioOptions, "## 4."),
    ],
)
def test_every_setting_stands_on_the_page_and_no_other(page: str, options: type[BaseModel], heading: str) -> None:
    section = text_of(page).partition(heading)[2].partition("\n## ")[0]
    named = {name for row in _SETTINGS_ROW.findall(section) for name in re.findall(r"`([a-z_]+)`", row)}
    assert named == set(options.model_fields)


@pytest.mark.parametrize("page", [*ALIYUN, *TENCENT, *SNS, *TWILIO])
def test_the_examples_are_what_the_settings_take(page: str) -> None:
    name, options = _tables[page.rsplit("/", 1)[-1]]
    merged: dict[str, object] = {}
    for block in blocks(page, "toml"):
        merged |= tomllib.loads(block)[name]
    placeholder = {"callback_key": "0123456789abcdef"} if "callback_key" in merged else {}
    read = options.model_validate(merged | placeholder)
    assert read.settings("https://example.org") is not None


def test_the_twins_have_the_same_headings_and_addresses() -> None:
    for english, chinese in (ALIYUN, TENCENT, SNS):
        assert len(re.findall(r"^## ", text_of(english), re.MULTILINE)) == len(
            re.findall(r"^## ", text_of(chinese), re.MULTILINE)
        )
        addresses = [set(re.findall(r"/callbacks/[\w/]+", text_of(page))) for page in (english, chinese)]
        assert addresses[0] == addresses[1]
