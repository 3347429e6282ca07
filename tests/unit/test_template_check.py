"""Registered templates: a service whose texts nobody has approved does not start, and says which one and what to do."""

from pathlib import Path

import pytest

from alerting.core.templates import TEMPLATES, Style, text_hash
from devices.model import Channel, Language
from gengfu.bootstrap import CannotServe, configure
from gengfu.database import migrate
from gengfu.settings import Settings, load_settings
from gengfu.template_check import template_fault, template_faults

ACCOUNT = """
[tencent]
secret_id = "AKID1"
secret_key = "a secret key"
callback_key = "0123456789abcdef"
sms_app_id = "1400000001"
sms_sign_name = "更夫值班"
"""
SMS = [name for name, template in TEMPLATES.items() if template.channel is Channel.SMS]


def settings(folder: Path, *, without: str = "", more: str = "") -> Settings:
    """Every template of texts but one is named."""
    lines = [f'{name} = "{1_000_000 + number}"' for number, name in enumerate(SMS) if name != without]
    toml = f'{ACCOUNT}[tencent.sms_templates."zh-CN"]\n' + "\n".join(lines) + f"\n{more}\n"
    (folder / "gengfu.toml").write_text(toml)
    return load_settings({"GENGFU_DATABASE_URL": f"sqlite+aiosqlite:///{folder / 'g.db'}"}, folder)


def test_a_whole_set_is_in_order_and_so_is_none_at_all(tmp_path: Path) -> None:
    assert template_fault(settings(tmp_path)) is None
    assert template_fault(load_settings({}, Path("/nonexistent"))) is None


@pytest.mark.parametrize("missing", SMS)
def test_a_missing_one_is_named_with_its_remedy(tmp_path: Path, missing: str) -> None:
    told = template_fault(settings(tmp_path, without=missing)) or ""
    assert missing in told
    assert f"tencent.sms_templates.zh-CN.{missing}" in told


def test_words_that_were_approved_otherwise_are_named(tmp_path: Path) -> None:
    ours = text_hash("sms_page", Language.ZH_CN, Style.TENCENT)
    for approved, sound in ((ours, True), ("0" * 16, False)):
        more = f'[template_hashes.tencent."zh-CN"]\nsms_page = "{approved}"'
        told = template_fault(settings(tmp_path, more=more))
        assert (told is None) is sound
        assert sound or ("sms_page" in (told or "") and "register it again" in (told or ""))


def test_a_second_language_half_done_is_a_fault_too(tmp_path: Path) -> None:
    told = list(template_faults(settings(tmp_path, more='[tencent.sms_templates.en]\nsms_page = "7"')))
    assert sorted(each.split()[1] for each in told) == sorted(name for name in SMS if name != "sms_page")
    assert all("(en)" in each for each in told)


def test_the_service_does_not_start_without_them(tmp_path: Path) -> None:
    wrong = settings(tmp_path, without="sms_page")
    migrate.upgrade(wrong.database)
    with pytest.raises(CannotServe, match="Template sms_page"):
        configure(wrong, frozenset())
