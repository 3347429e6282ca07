"""What the API says of readiness: of a worker's phone, of a provider's account, and what to do. Data only."""

Sentence = tuple[str, str]

READINESS_FIELDS: dict[str, Sentence] = {
    "unknown_vendor": (
        "没有名为 {value} 的服务商需要白名单；可填：{known}。",
        "No configured vendor {value} keeps a white list; there are: {known}.",
    ),
    "no_white_list": (
        "只有短信和电话号码可登记白名单。",
        "Only a number for texts or calls can stand on a white list.",
    ),
    "no_self_test": ("没有这条自检消息。", "There is no such self-test message of yours."),
}
READINESS_DETAILS: dict[str, Sentence] = {
    "checked_lately": (
        "服务商刚刚检查过；每分钟最多一次。",
        "The providers were checked a moment ago: once a minute at most.",
    ),
    "no_provider_checks": (
        "此进程不能检查服务商；请确认有 worker 角色在运行。",
        "This process cannot have the providers checked: see that one with the worker role runs.",
    ),
    "not_a_worker": (
        "此密钥或登录未绑定人员；请使用绑定本人的密钥。",
        "This key or login belongs to no person: use one that is bound to you.",
    ),
    "no_numbers": (
        "尚未配置任何主叫号码；请管理员先配置短信和电话服务商。",
        "No caller number is configured yet: ask the administrator to set up a provider for texts and calls.",
    ),
}
REMEDIES: dict[str, Sentence] = {
    "add_number": ("请登记手机号码。", "Register a telephone number for it."),
    "opt_in": (
        "此联系方式已停用，火警也不会发到这里；请征得本人同意后恢复使用。",
        "Nobody uses this contact, not even for a fire: ask the person, then opt in again.",
    ),
    "opt_in_at_carrier": (
        "本人已向运营商退订（STOP），火警短信会被拦截；请本人回复 START 恢复接收。",
        "The person told the carrier to send nothing (STOP), so a fire text is blocked: have him reply START.",
    ),
    "check_number": (
        "运营商称此号码无法接收；请核对号码，然后重新验证。系统仍会最后尝试此号码。",
        "The carrier says that this number cannot be reached: check it, then verify it again. It is still tried, last.",
    ),
    "verify": ("尚未验证；请发送验证码或验证电话。", "Not verified yet: send the code or the test call."),
    "white_list": (
        "请让服务商将此号码加入白名单，然后在此登记；否则超过每日限额的火警电话会被拦截。",
        "Have the vendor put this number on its white list and record it here: else calls over its daily limit, even "
        "a fire's, are refused.",
    ),
    "raise_budget": (
        "今晚的限额已用完；系统改用其他服务商。请向服务商申请提高限额。",
        "Tonight's limit of the carriers is used up for this number: ask them to raise it.",
    ),
    "tap_self_test": (
        "自检消息未点按：请打开应用点按；收不到时按手机设置指南检查通知。",
        "The self-test message was not tapped: open the app and tap it; if none comes, follow the phone guide.",
    ),
    "tap_or_remove": (
        "此手机的自检消息未点按：请在该手机上点按；手机已不用的，请删除其订阅。",
        "The message on this phone was not tapped: tap it there, or remove the phone if it is not used any more.",
    ),
    "renew_phone": (
        "服务商不接受发往此处的消息：请核对办公应用账号，或在该手机上重新允许推送。",
        "Its carrier takes no message for it: check the work app's user id, or allow push messages there again.",
    ),
    "await_self_test": (
        "尚未收到自检消息；每天按设定的时间发送，收到后请点按。",
        "No self-test message was sent there yet: it comes once a day; tap it.",
    ),
    "no_app": (
        "没有应用：每日自检到不了这部手机。请安装应用并登录，或登记办公应用账号；在此之前请用验证电话核实号码。",
        "No app: the daily test does not reach this phone. Install the app and sign in, or register a work app; until "
        "then prove the number by a verification call.",
    ),
    "add_app_contact": (
        "报警不会发到应用：请为此人登记或恢复“应用”联系方式。",
        "No alarm goes to an app of this person: add an app contact, or opt it in again.",
    ),
    "set_public_url": (
        "办公应用中无法点按：请管理员设置 public_url。",
        "Nobody can tap it in a work app: the administrator must set public_url.",
    ),
    "install_app": ("尚未使用应用；请安装并登录。", "The app was never used: install it and sign in."),
    "open_app": ("应用已久未打开；请打开并登录。", "The app was not opened for a week: open it and sign in."),
    "allow_push": ("请在应用中允许推送通知。", "Allow push messages in the app."),
    "renew_push": (
        "推送订阅已久未确认；请打开应用重新允许通知。",
        "The push subscription is old: open the app, allow it again.",
    ),
    "link_work_app": ("请登记此人在该办公应用中的账号。", "Register the person's user id of this work app."),
    "save_card": (
        "请保存值班联系卡（含全部来电号码），然后在应用中确认。",
        "Save the contact card with all our numbers, then say so in the app.",
    ),
    "follow_guide": (
        "请按手机设置指南允许来电和通知，然后在应用中确认。",
        "Follow the phone guide so that our calls ring, then say so in the app.",
    ),
}
"""What to do, by the remedy's key."""
ITEMS: dict[str, Sentence] = {
    "number": ("手机号码", "telephone number"),
    "opted_out": ("已退订", "opted out"),
    "unreachable": ("号码无法接通", "number unreachable"),
    "verified": ("号码验证", "verified"),
    "self_test": ("每日自检消息", "daily self-test"),
    "phone": ("单部手机自检", "self-test of one phone"),
    "white_list": ("运营商白名单", "white list"),
    "budget": ("今晚剩余额度", "budget left tonight"),
    "app": ("应用使用", "app in use"),
    "push": ("推送通知", "push messages"),
    "work_app": ("办公应用账号", "work app"),
    "contact_card": ("联系卡已保存", "contact card saved"),
    "phone_guide": ("手机设置已完成", "phone set up"),
    "language": ("语言", "language"),
}
"""Names of what is looked at."""
CARRIERS: dict[str, Sentence] = {
    "stream": ("应用", "app"),
    "webpush": ("推送通知", "push messages"),
    "wecom": ("企业微信", "WeCom"),
    "dingtalk": ("钉钉", "DingTalk"),
    "feishu": ("飞书", "Feishu"),
}
"""How a phone is called that its owner gave no name."""
ABOUT: dict[str, Sentence] = {
    "credentials": ("账户凭证", "credentials"),
    "account": ("账户状态", "account"),
    "balance": ("余额", "balance"),
    "template": ("模板", "templates"),
    "callback": ("回执地址", "callback address"),
    "receipts": ("24小时内收到回执", "receipts in the last 24 h"),
    "night_rule": ("夜间呼叫限制", "night rule"),
    "breaker": ("熔断状态", "breaker"),
    "rate": ("发送速率", "rate limit"),
}
"""Names of what is checked of a provider; `template:sms_page` is named by its first part."""


def about(name: str) -> Sentence:
    """The name of a finding; a detail after a colon stays as it is."""
    base, _, rest = name.partition(":")
    zh, en = ABOUT.get(base, (base, base))
    return (f"{zh} {rest}", f"{en} {rest}") if rest else (zh, en)
