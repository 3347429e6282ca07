"""Words of messages that belong to no incident: codes and test calls for a contact, and why a test failed. Data only.

Law: no text asks for an act its channel cannot take: a code is told or typed, a call takes a key, a push is tapped.
"""

import msgspec

from alerting.core.messages import CallScript
from alerting.core.walk_test import Lack
from devices.model import Language

code_minutes = 10

_SMS = {
    Language.ZH_CN: "【更夫】验证码{code}，{minutes}分钟内有效，用于登记此号码接收报警。请告知登记人员，非本人请忽略。",
    Language.EN: "Gengfu code {code}, valid {minutes} min, to register this number for alarms. "
    "Tell it to whoever registers you. Not you? Ignore this.",
}
_CALL = {
    Language.ZH_CN: CallScript(
        language=Language.ZH_CN,
        say="这里是更夫报警系统的号码验证，没有发生警情。",
        keys="确认用此号码接收报警请按一，不是本人请按二，重听请按三。",
        recorded="号码已验证，谢谢。",
        declined="已记录，谢谢。",
        missed="未确认，本次验证结束，再见。",
        wait="请稍候。",
    ),
    Language.EN: CallScript(
        language=Language.EN,
        say="This is a number check of the Gengfu alarm system. There is no alarm. ",
        keys="Press one to receive alarms on this number, two if it is not yours, three to hear it again.",
        recorded="Your number is verified. Thank you.",
        declined="Noted. Thank you.",
        missed="Not confirmed. This check ends here. Goodbye.",
        wait="One moment, please.",
    ),
}
_PUSH = {
    Language.ZH_CN: ("验证报警通知", "请点按此通知，确认本机可以接收报警。没有发生警情。"),
    Language.EN: (
        "Check of alarm messages",
        "Tap this message to confirm that alarms reach you here. There is no alarm.",
    ),
}

LACKS: dict[Lack, tuple[str, str]] = {
    Lack.NO_ALARM: ("限时内未收到报警", "No alarm came within the time."),
    Lack.NOT_RESTORED: ("限时内未恢复正常", "It was not restored within the time."),
    Lack.NO_SIGNAL: ("未报告信号强度", "It told no signal strength."),
    Lack.WEAK_SIGNAL: ("信号强度低于该型号的要求", "The signal is weaker than this model needs."),
    Lack.PAGED: ("测试中的报警已按真实警情通知人员", "Its alarm has called people as a real one."),
}
"""Chinese, English."""


def code_sms(language: Language, code: str) -> str:
    """One SMS part with the code."""
    return _SMS[language].format(code=code, minutes=code_minutes)


def check_call(language: Language) -> str:
    """The script of the test call, as JSON `CallScript`."""
    return msgspec.json.encode(_CALL[language]).decode()


def push(language: Language) -> tuple[str, str]:
    """Title and body of the message that must be tapped."""
    return _PUSH[language]
