"""How a phone is set up so that our calls ring at night: steps per brand, in Chinese and English. Data only.

Menus move from one version to the next: each step names what to look for, and the note says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass

Sentence = tuple[str, str]

NOTE: Sentence = (
    "菜单名称因系统版本而异：找不到时，请在“设置”顶部的搜索框中搜索关键词。以上均不影响手机的其他来电。",
    "Menu names differ by version: if you cannot find one, type its key word into the search box of Settings. "
    "None of this changes how your other calls ring.",
)
_SAVE: Sentence = (
    "扫描联系卡二维码，把全部来电号码存为一个联系人，并设为收藏（星标）。",
    "Scan the QR code of the contact card, save all our numbers as one contact and mark it as a favourite (star).",
)
_REPEAT_15: Sentence = (
    "设置 > 声音 > 勿扰（免打扰）> 来电：允许收藏（星标）联系人，并打开“重复来电”：同一号码15分钟内第二次来电会响铃。",
    "Settings > Sound > Do not disturb > Calls: allow favourite (starred) contacts and turn on repeat callers: a "
    "second call from one number within 15 minutes rings.",
)
_REPEAT_3: Sentence = (
    "设置 > 声音和振动 > 免打扰（情景模式）> 来电：允许收藏联系人，并打开“重复来电”：同一号码3分钟内第二次来电会响铃。",
    "Settings > Sounds > Do not disturb (modes) > Calls: allow favourite contacts and turn on repeated calls: a second "
    "call from one number within 3 minutes rings.",
)
_NOTIFY: Sentence = (
    "设置 > 通知 > 更夫（或所用浏览器、办公应用）：允许通知、锁屏显示、响铃，允许在勿扰时打扰。",
    "Settings > Notifications > Gengfu (or your browser or work app): allow messages, on the lock screen, with sound, "
    "and during do not disturb.",
)
_TRY: Sentence = (
    "请值班室重新拨打一次验证电话，确认会响铃。",
    "Ask the control room for one more verification call and see that it rings.",
)


def _spam(zh: str, en: str) -> Sentence:
    return (
        f"{zh}：把联系卡中的号码全部加入白名单，并关闭拦截陌生来电。",
        f"{en}: put every number of the contact card on the white list, and do not block unknown callers.",
    )


def _battery(zh: str, en: str) -> Sentence:
    return (
        f"{zh}：让所用的应用在后台运行，否则收不到消息。",
        f"{en}: let the app run in the background, or its messages do not come.",
    )


@dataclass(frozen=True, slots=True)
class Guide:
    brand: str
    name: Sentence
    steps: tuple[Sentence, ...]


def _guide(brand: str, name: Sentence, repeat: Sentence, spam: Sentence, battery: Sentence) -> Guide:
    return Guide(brand, name, (_SAVE, repeat, spam, _NOTIFY, battery, _TRY))


_HUAWEI_SPAM = _spam("电话 > 更多 > 骚扰拦截 > 设置 > 白名单", "Phone > More > Blocked > Settings > Trustlist")
GUIDES: Mapping[str, Guide] = {
    each.brand: each
    for each in (
        _guide(
            "huawei",
            ("华为", "Huawei"),
            _REPEAT_15,
            _HUAWEI_SPAM,
            _battery(
                "设置 > 应用和服务 > 应用启动管理 > 改为手动管理，允许自启动、关联启动、后台活动",
                "Settings > Apps > App launch > manage manually: auto-launch, secondary launch, run in background",
            ),
        ),
        _guide(
            "xiaomi",
            ("小米 / 红米", "Xiaomi / Redmi"),
            _REPEAT_15,
            _spam(
                "电话（或手机管家）> 骚扰拦截 > 设置 > 白名单",
                "Phone (or Security) > Blocklist > Settings > Exceptions",
            ),
            _battery(
                "设置 > 应用设置 > 应用管理 > 打开自启动；省电策略改为无限制",
                "Settings > Apps > Manage apps: autostart on, battery saver to no restrictions",
            ),
        ),
        _guide(
            "oppo",
            ("OPPO / 一加 / realme", "OPPO / OnePlus / realme"),
            _REPEAT_15,
            _spam("电话 > 菜单 > 骚扰拦截 > 设置 > 白名单", "Phone > menu > Block and filter > Settings > Whitelist"),
            _battery(
                "设置 > 电池 > 应用耗电管理 > 允许自启动和完全后台行为",
                "Settings > Battery > App battery management: allow auto launch and background activity",
            ),
        ),
        _guide(
            "vivo",
            ("vivo / iQOO", "vivo / iQOO"),
            _REPEAT_15,
            _spam("电话 > 设置 > 骚扰拦截 > 白名单", "Phone > Settings > Harassment filter > Whitelist"),
            _battery(
                "设置 > 电池 > 后台耗电管理 > 允许后台高耗电；i管家 > 自启动",
                "Settings > Battery > Background power: allow high use; iManager > Autostart",
            ),
        ),
        _guide(
            "honor",
            ("荣耀", "Honor"),
            _REPEAT_15,
            _HUAWEI_SPAM,
            _battery(
                "设置 > 应用 > 应用启动管理 > 改为手动管理，三项全部允许",
                "Settings > Apps > App launch > manage manually: allow all three",
            ),
        ),
        _guide(
            "samsung",
            ("三星", "Samsung"),
            _REPEAT_15,
            _spam("电话 > 更多 > 设置 > 来电拦截与防骚扰", "Phone > More > Settings > Caller ID and spam protection"),
            _battery(
                "设置 > 电池 > 后台使用限制 > 从不休眠的应用程序",
                "Settings > Battery > Background usage limits > Never sleeping apps",
            ),
        ),
        _guide(
            "apple",
            ("苹果 iPhone", "Apple iPhone"),
            (
                "编辑此联系人 > 电话铃声 > 打开“紧急来电可绕过”（最可靠）；设置 > 专注模式 > 勿扰 > 联系人："
                "允许此联系人，并打开“允许重复来电”：3分钟内第二次来电会响铃。",
                "Edit the contact > Ringtone > turn on Emergency Bypass (the surest); Settings > Focus > Do Not "
                "Disturb > People: allow it, and allow repeated calls: a second call within 3 minutes rings.",
            ),
            (
                "设置 > 电话：关闭“将未知来电静音”，或确认已保存联系卡；信息 > 过滤未知发件人：关闭。",
                "Settings > Phone: turn off Silence Unknown Callers, or see that the card is saved; Messages > Filter "
                "Unknown Senders: off.",
            ),
            (
                "把更夫网页添加到主屏幕（推送需要），从主屏幕打开并允许通知；不要从后台划掉。",
                "Add the Gengfu page to the home screen (push needs it), open it from there and allow messages; do not "
                "swipe it away.",
            ),
        ),
        _guide(
            "other",
            ("其他手机", "Other phones"),
            _REPEAT_3,
            _spam("电话 > 设置 > 骚扰拦截（来电过滤）", "Phone > Settings > Spam and call screen"),
            _battery(
                "设置 > 电池 > 电池优化：不优化此应用", "Settings > Battery > Battery optimisation: do not optimise it"
            ),
        ),
    )
}
