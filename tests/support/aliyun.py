"""One Alibaba Cloud account in tests: its settings, what it has registered, its emulator."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from alerting.channels.base import Submission, Wording
from alerting.channels.providers.aliyun_settings import AliyunSettings, VoiceKeys
from alerting.core.templates import TEMPLATES, Style, registered
from devices.model import Channel, Language
from gengfu.clock import RandomIds, SystemClock
from simulators.aliyun import AliyunEmulator, Registered
from tests.contract.channel_suite import make_submission

key_id = "key-id-of-a-test"
key_secret = "key-secret-that-stays-secret"
callback_key = "callback-key-that-stays-secret"
sign_name = "阳光社区"
show_number = "05715678"
key_code = "TTS_900"
thanks = "按键已收到，谢谢。"


def codes(channel: Channel) -> dict[Language, dict[str, str]]:
    """A code for each of our templates."""
    prefix = "SMS" if channel is Channel.SMS else "TTS"
    names = [name for name, template in TEMPLATES.items() if template.channel is channel]
    return {
        language: {name: f"{prefix}_{100 * place + n}" for n, name in enumerate(names, 1)}
        for place, language in enumerate((Language.ZH_CN, Language.EN), 1)
    }


def settings_for(base_url: str, **changes: Any) -> AliyunSettings:
    """Everything at one address; keys come back over IvrCall."""
    settings = AliyunSettings(
        access_key_id=key_id,
        access_key_secret=key_secret,
        callback_key=callback_key,
        now=SystemClock().now,
        nonce=RandomIds().attempt,
        sign_name=sign_name,
        sms_templates=codes(Channel.SMS),
        voice_templates=codes(Channel.VOICE),
        show_number=show_number,
        voice_keys=VoiceKeys.IVR,
        key_code={Language.ZH_CN: key_code},
        list_lag_s=0.15,
        sms_base_url=base_url,
        voice_base_url=base_url,
        balance_base_url=base_url,
    )
    return replace(settings, **changes)


def register(emulator: AliyunEmulator) -> None:
    """All that `settings_for` names, approved word by word."""
    catalog = emulator.catalog
    catalog.signs[sign_name] = Registered("")
    catalog.numbers.add(show_number)
    catalog.speech[key_code] = Registered(thanks)
    for channel, shelf in ((Channel.SMS, catalog.texts), (Channel.VOICE, catalog.speech)):
        for language, names in codes(channel).items():
            for name, code in names.items():
                shelf[code] = Registered(registered(name, language, Style.ALIYUN))


@asynccontextmanager
async def account(**settings: Any) -> AsyncIterator[AliyunEmulator]:
    """An emulator with everything registered."""
    emulator = AliyunEmulator(access_key_id=key_id, access_key_secret=key_secret, clock=SystemClock().now, **settings)
    register(emulator)
    async with emulator:
        yield emulator


def variables(name: str, n: int = 0) -> Mapping[str, str]:
    """Values for each variable of a template."""
    values = {"what": f"火警{n}", "place": "金鼎小区3栋", "time": "03:12", "act": "立即到场", "code": f"A{n}"}
    return {each: values.get(each, "演练") for each in TEMPLATES[name].limits}


def submission_of(name: str, n: int = 0, language: Language = Language.ZH_CN) -> Submission:
    """Attempt number n, with this template's wording."""
    template = TEMPLATES[name]
    wording = Wording(name, variables(name, n))
    return make_submission(template.channel, n, "", f"+86138000{n:05d}", language, wording=wording)
