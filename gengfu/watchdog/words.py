"""What the administrator on call reads and hears, in zh-CN and en. One SMS part each; never sends."""

from datetime import datetime
from zoneinfo import ZoneInfo

from devices.model import Language
from gengfu.watchdog.judging import Cause, Kind, Message

_PARTS = {
    "broker": ("消息服务器", "broker"),
    "database": ("数据库", "database"),
    "provider": ("短信电话", "provider"),
}
_CAUSES = {
    Cause.SILENT: ("报警服务没有应答", "the alarm service does not answer"),
    Cause.NOT_READY: ("报警服务未就绪：{parts}", "the alarm service is not ready: {parts}"),
    Cause.ACCOUNT: ("短信电话账户不可用", "an SMS or call account cannot be used"),
    Cause.CANARY: ("自检报警未能通过", "test alarms do not come through"),
    Cause.VIOLATION: ("有警情的下一步丢失或延误", "the next step of an open alarm was lost or late"),
}
_TEXTS = {
    Kind.TROUBLE: (
        "【更夫】{instance}故障：{cause}，自{since}起。真实报警可能无人收到，请立即处理。",
        "Gengfu {instance} IN TROUBLE since {since}: {cause}. Real alarms may reach nobody. Act now.",
    ),
    Kind.WELL: (
        "【更夫】{instance}已恢复正常。故障自{since}起：{cause}。",
        "Gengfu {instance} is well again. Trouble since {since}: {cause}.",
    ),
    Kind.VIOLATION: (
        "【更夫】{instance}注意：{cause}。请查看日志。",
        "Gengfu {instance}: {cause}. Read the log.",
    ),
    Kind.TEST: (
        "【更夫】{instance}看门狗测试，系统正常，无需处理。",
        "Gengfu {instance}: test of the watchdog. All is well, nothing to do.",
    ),
}
_SPEECH = {
    Kind.TROUBLE: (
        "这里是更夫看门狗。{cause}。真实报警可能无人收到，请立即处理。",
        "This is the Gengfu watchdog. {cause}. Real alarms may reach nobody. Act now.",
    ),
    Kind.VIOLATION: ("这里是更夫看门狗。{cause}。请查看日志。", "This is the Gengfu watchdog. {cause}. Read the log."),
    Kind.TEST: (
        "这里是更夫看门狗的测试电话，系统正常，无需处理。",
        "This is a test call of the Gengfu watchdog. All is well, nothing to do.",
    ),
}


def text_of(message: Message, language: Language, instance: str, zone: ZoneInfo) -> str:
    """The SMS."""
    since = "" if message.since is None else f"{message.since.astimezone(zone):%H:%M}"
    return _of(_TEXTS[message.kind], language).format(
        instance=instance[:12], since=since, cause=_cause(message, language)
    )


def speech_of(message: Message, language: Language) -> str:
    """What a call says; "" where it is only written."""
    said = _SPEECH.get(message.kind)
    return "" if said is None else _of(said, language).format(cause=_cause(message, language))


def _cause(message: Message, language: Language) -> str:
    if message.cause is None:
        return ""
    named = [_of(_PARTS.get(part, (part[:12], part[:12])), language) for part in message.parts[:2]]
    joined = ("、" if language is Language.ZH_CN else ", ").join(named)
    return _of(_CAUSES[message.cause], language).format(parts=joined)


def _of(pair: tuple[str, str], language: Language) -> str:
    return pair[0] if language is Language.ZH_CN else pair[1]


def shown_at(at: datetime, zone: ZoneInfo) -> str:
    """For a line of the log."""
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M:%S}"
