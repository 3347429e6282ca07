"""What the API says about acts on incidents, in Chinese and English. Data only."""

Sentence = tuple[str, str]

ACT_REFUSALS: dict[str, Sentence] = {
    "not_closed": ("事件尚未关闭；请先关闭。", "The incident is not closed: close it first."),
    "already_evaluated": ("事件已评价。", "The incident was evaluated already."),
    "not_shelved": ("事件未暂停提醒。", "The incident is not shelved."),
    "shelf_severity": ("1级事件不能暂停提醒；请核实并记录结果。", "Severity 1 cannot be shelved: verify it instead."),
    "shelf_limit": (
        "暂停时间须在将来，且不得超过：2级30分钟，3级8小时，4、5级24小时。",
        "It must end in the future, and after 30 minutes (severity 2), 8 hours (3) or 24 hours (4, 5) at most.",
    ),
    "no_reason": ("请填写原因。", "Give a reason."),
    "no_cause": ("误报和设备故障须填写原因（cause）。", "A false alarm and a device fault need their cause."),
    "not_reachable": ("此人没有可用的联系方式或已离岗；请换人。", "This person cannot be reached: choose another."),
    "not_asked": (
        "没有可再次呼叫的人；请选择已通知过的人。",
        "Nobody there to call again: name somebody who was paged.",
    ),
    "unknown_target": (
        "请填写另一个网格，或 community（社区）、street（街道）。",
        "Name another grid, or community or street.",
    ),
    "same_open": (
        "同一地点已有同类事件未关闭，请在该事件中处理。",
        "An incident of the same kind and place is open: act on that one.",
    ),
}

ACT_DETAILS: dict[str, Sentence] = {
    "on_site_only": (
        "网格员只能核实自己到场看到的情况（how 填 on_site）；电话或视频核实由值班台记录。",
        "A worker records what he saw on site (how: on_site); by phone or video the control room does.",
    ),
    "photos_full": (
        "每个事件最多 {count} 张照片。",
        "An incident takes {count} photographs at most.",
    ),
}

ACT_FIELDS: dict[str, Sentence] = {
    "cause_needed": (
        "误报和设备故障必须填写原因。",
        "Required for a false alarm and a device fault: say what caused it.",
    ),
    "minutes_or_until": ("minutes 与 until 只能填其一。", "Give minutes or until, not both."),
    "not_raisable": (
        "{value} 不能人工上报；请填写报警、监管或故障类代码，例如 fire.smoke、person.sos、charge.wire。",
        "{value} cannot be raised: give a code of an alarm, supervisory signal or trouble, such as fire.smoke, "
        "person.sos or charge.wire.",
    ),
}
