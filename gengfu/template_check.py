"""Are the registered templates of each vendor named, all of them, and do their words stand as they were approved? Asks
nobody: a vendor's own view of them is a part of its account's check."""

from collections.abc import Iterator, Mapping

from alerting.core.templates import TEMPLATES, Style, text_hash
from devices.model import Channel, Language
from gengfu.settings_model import Settings

Codes = Mapping[Language, Mapping[str, str]]
STYLES = {"aliyun": Style.ALIYUN, "tencent": Style.TENCENT}
SETTINGS = {Channel.SMS: "sms_templates", Channel.VOICE: "voice_templates"}


def template_fault(settings: Settings) -> str | None:
    """The first thing wrong, in one sentence with its remedy; None: all is well, or nobody wants templates."""
    return next(template_faults(settings), None)


def template_faults(settings: Settings) -> Iterator[str]:
    for vendor in STYLES:
        options = getattr(settings, vendor, None)
        if options is None:
            continue
        for channel, setting in SETTINGS.items():
            codes: Codes = getattr(options, setting)
            if codes:
                yield from _incomplete(codes, f"{vendor}.{setting}", channel, settings.language)
                yield from _other_words(codes, vendor, settings.template_hashes.get(vendor, {}))


def _incomplete(codes: Codes, setting: str, channel: Channel, spoken: Language) -> Iterator[str]:
    for language in dict.fromkeys((spoken, *codes)):
        named = codes.get(language, {})
        for name, template in TEMPLATES.items():
            if template.channel is channel and name not in named:
                yield (
                    f"Template {name} ({language.value}) has no code in {setting}: register its text with "
                    f"the vendor, then set {setting}.{language.value}.{name}."
                )


def _other_words(codes: Codes, vendor: str, hashes: Mapping[Language, Mapping[str, str]]) -> Iterator[str]:
    for language, named in codes.items():
        for name in named:
            approved = hashes.get(language, {}).get(name)
            if approved is not None and name in TEMPLATES and approved != text_hash(name, language, STYLES[vendor]):
                yield (
                    f"Template {name} ({language.value}) was approved by {vendor} with other words than this "
                    f"version's: register it again, then correct template_hashes.{vendor}.{language.value}.{name}."
                )
