"""A Tencent account for tests: its emulator, its settings, a bench for each of its two channels."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime

from alerting.channels.base import Busy, ChannelProvider, Scope, Submission, Wording
from alerting.channels.providers.tencent import build
from alerting.channels.providers.tencent_settings import TencentSettings
from alerting.core.templates import TEMPLATES, Style, registered
from devices.model import Channel, Language
from gengfu.clock import SystemClock
from simulators.phone import Behaviour
from simulators.tencent import Account, Addresses, Template, TencentEmulator, Windows
from tests.contract.channel_suite import EmulatorBench, make_submission

secret_id = "AKIDexample"
secret_key = "key-that-stays-secret"
callback_key = "callback-key-that-stays-secret"
sign = "阳光社区"
numbers = {name: str(1_000_000 + place) for place, name in enumerate(TEMPLATES)}
now = SystemClock().now


def account() -> Account:
    """With every template of ours, approved word by word."""
    texts = {name: _template(name) for name in TEMPLATES}
    of_channel = {
        channel: {numbers[name]: text for name, text in texts.items() if TEMPLATES[name].channel is channel}
        for channel in (Channel.SMS, Channel.VOICE)
    }
    return Account(
        secret_id, secret_key, sms_templates=of_channel[Channel.SMS], voice_templates=of_channel[Channel.VOICE]
    )


def _template(name: str) -> Template:
    """With the room for values that one asks Tencent for."""
    text = registered(name, Language.ZH_CN, Style.TENCENT)
    return Template(text, variable_chars_max=max(TEMPLATES[name].limits.values(), default=0))


@asynccontextmanager
async def emulated(
    *,
    clock: Callable[[], datetime] = now,
    behaviour: Behaviour | None = None,
    addresses: Addresses | None = None,
    windows: Windows | None = None,
    of: Account | None = None,
) -> AsyncIterator[TencentEmulator]:
    """An emulator whose stories take no time."""
    emulator = TencentEmulator(
        clock=clock,
        account=of or account(),
        addresses=addresses,
        windows=windows,
        default_behaviour=behaviour,
        time_scale=0,
        speech_seconds_per_char=0,
    )
    async with emulator:
        yield emulator


def settings_for(base_url: str, clock: Callable[[], datetime] = now) -> TencentSettings:
    """As somebody sets it who has registered every text."""
    names = {channel: {n: numbers[n] for n in TEMPLATES if TEMPLATES[n].channel is channel} for channel in Channel}
    return TencentSettings(
        secret_id=secret_id,
        secret_key=secret_key,
        callback_key=callback_key,
        now=clock,
        sms_app_id="1400006666",
        sms_sign_name=sign,
        sms_templates={Language.ZH_CN: names[Channel.SMS]},
        voice_app_id="1400007777",
        voice_templates={Language.ZH_CN: names[Channel.VOICE]},
        sms_base_url=base_url,
        voice_base_url=base_url,
    )


@asynccontextmanager
async def providers(settings: TencentSettings) -> AsyncIterator[dict[Channel, ChannelProvider]]:
    """Both channels; closed afterwards."""
    built = dict(build(settings))
    yield built
    for provider in built.values():
        await provider.close()


def wording(channel: Channel, n: int = 0) -> Wording:
    """The page of attempt number n."""
    what, place = {"what": "火警烟感"}, {"place": f"{n}栋2单元1201"}
    if channel is Channel.VOICE:
        return Wording("voice_page", what | place)
    # Not in the order in which they are spoken: a database keeps no order of keys.
    return Wording("sms_page", {"code": f"A{n}", "act": "立即到场", "time": "03:12"} | place | what)


class TencentBench(EmulatorBench):
    """One channel against the emulator."""

    strange_ref = "5000:0000000000000000000000000000"
    keeps_references = False  # a text is listed once its carrier has reported, a call never

    def __init__(self, provider: ChannelProvider, emulator: TencentEmulator) -> None:
        super().__init__(provider, emulator)
        self.emulator = emulator
        sms = provider.channel is Channel.SMS
        self.refusals = sms_refusals if sms else voice_refusals
        self.limits = sms_limits if sms else voice_limits

    def submission(self, n: int = 0) -> Submission:
        channel = self.provider.channel
        return make_submission(channel, n, "", f"+86138000{n:05d}", wording=wording(channel, n))

    def lag(self, seconds: float) -> None:
        self.emulator.lag_s = seconds


_both = {
    "AuthFailure.SignatureFailure": Scope.ACCOUNT,
    "AuthFailure.SecretIdNotFound": Scope.ACCOUNT,
    "UnauthorizedOperation.ServiceSuspendDueToArrears": Scope.ACCOUNT,
    "FailedOperation.ContainSensitiveWord": Scope.TEXT,
    "FailedOperation.TemplateIncorrectOrUnapproved": Scope.TEXT,
    "FailedOperation.Invented": Scope.ACCOUNT,
}
sms_refusals = _both | {
    "InvalidParameterValue.IncorrectPhoneNumber": Scope.NUMBER,
    "FailedOperation.PhoneNumberInBlacklist": Scope.NUMBER,
    "FailedOperation.InsufficientBalanceInSmsPackage": Scope.ACCOUNT,
    "InvalidParameterValue.TemplateParameterLengthLimit": Scope.TEXT,
}
voice_refusals = _both | {
    "InvalidParameterValue.CalledNumberVerifyFail": Scope.NUMBER,
    "FailedOperation.InsufficientBalanceInVoicePackage": Scope.ACCOUNT,
    "InvalidParameterValue.ContentLengthLimit": Scope.TEXT,
}
sms_limits = {
    "LimitExceeded.PhoneNumberThirtySecondLimit": Busy(30.0, number_limit=True),
    "LimitExceeded.PhoneNumberOneHourLimit": Busy(3_600.0, number_limit=True),
    "LimitExceeded.PhoneNumberDailyLimit": Busy(86_400.0, number_limit=True),
    "RequestLimitExceeded": Busy(0.4),
}
voice_limits = {
    "LimitExceeded.DeliveryFrequencyLimit": Busy(30.0, number_limit=True),
    "RequestLimitExceeded.UinLimitExceeded": Busy(0.4),
}
