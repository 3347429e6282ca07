"""What the API says about tests and verifications, in Chinese and English. Data only."""

Sentence = tuple[str, str]

TESTING_FIELDS: dict[str, Sentence] = {
    "walk_test_running": (
        "该设备的报警测试正在进行；请等待其结束或先中止。",
        "An alarm test of this device is running: wait for its end, or abort it.",
    ),
    "no_place": ("设备尚未登记安装位置；请先填写 place_id。", "The device has no place yet: give it a place_id first."),
    "device_removed": ("设备已拆除，不能测试。", "The device was removed: it cannot be tested."),
    "on_roster": (
        "此号码属于可能被呼叫的值班人员，运营商会屏蔽频繁来电的号码；请填写安装人员自己的号码。",
        "This is the number of somebody who may be called for an alarm, and carriers block a phone that gets many "
        "calls: give the installer's own number.",
    ),
    "used_today": (
        "该小区今天的真实短信和电话已用完；其余测试只在系统内完成，不发送。",
        "The one real text and call of this compound's day were made; further tests end at the loop-back.",
    ),
    "one_choice": ("device_ids 与 place_id 须且只能填其一。", "Give device_ids or place_id, one of the two."),
    "nothing_to_test": (
        "该地点下没有未验收的设备；已验收的设备须用 device_ids 点名。",
        "There is no device below it that is not commissioned; name commissioned ones in device_ids.",
    ),
    "too_many_devices": ("一次最多 {most} 台设备；请选更小的地点。", "At most {most} devices: choose a smaller place."),
    "opted_out": ("该联系方式已停用；请先恢复使用。", "This contact is opted out of: opt in first."),
    "person_left": ("该人员已离岗。", "This person has left."),
}
TESTING_DETAILS: dict[str, Sentence] = {
    "no_sms_provider": (
        "未配置短信和电话服务商；请管理员设置 GENGFU_TWILIO__ACCOUNT_SID 等参数。",
        "No provider carries texts and calls: ask the administrator to set GENGFU_TWILIO__ACCOUNT_SID and the rest.",
    ),
    "no_voice_provider": (
        "发件人是消息服务（MG...），不能拨打电话；请管理员将 GENGFU_TWILIO__FROM_NUMBER 设为号码。",
        "The sender is a messaging service (MG...), which cannot call: set GENGFU_TWILIO__FROM_NUMBER to a number.",
    ),
    "too_many_probes": (
        "同一号码每小时最多验证 {count} 次；请稍后再试。",
        "One number may be checked {count} times an hour: try again later.",
    ),
    "own_app": (
        "应用通知须由本人在自己的应用中点按确认。",
        "Only the person's own app can confirm this, by a tap.",
    ),
}
CONFIRMATIONS: dict[str, Sentence] = {
    "verified": ("已验证。", "Verified."),
    "wrong": ("验证码不正确，请核对后重试。", "The code is not right: check it and try again."),
    "too_many_tries": ("错误次数过多，请重新发送验证码。", "Too many tries: ask for a new code."),
    "expired": ("验证码已过期，请重新发送。", "The code has expired: ask for a new one."),
    "nothing_asked": ("没有待确认的验证码，请先发送。", "There is no code to confirm: ask for one first."),
}
