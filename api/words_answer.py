"""What a worker's answer page says, in Chinese and English. Data only."""

Sentence = tuple[str, str]

WORKER_PAGE: dict[str, Sentence] = {
    "title": ("更夫", "Gengfu"),
    "drill": ("演练", "DRILL"),
    "when": ("时间", "Time"),
    "reference": ("编号", "Reference"),
    "map": ("打开地图", "Open the map"),
    "going": ("我去", "I am going"),
    "cannot": ("我去不了", "I cannot go"),
    "again": ("再次呼叫我", "Call me again"),
    "open": ("还没有人去。您能去吗？", "Nobody is going yet. Can you go?"),
    "yours": ("已记录：您去。请注意安全。", "Recorded: you are going. Take care."),
    "taken": ("{name}正在前往，您不用去。", "{name} is going. You need not go."),
    "over": ("此事已处理，无需再去。", "It is over: nobody needs to go."),
    "told_declined": ("已记录：您去不了。正在通知下一位。", "Recorded: you cannot go. The next person is being told."),
    "told_again": ("好的，会尽快再次联系您。", "You will be contacted again as soon as possible."),
    "told_not_again": (
        "现在不能再次联系：已有人去，或次数已满。请直接选择。",
        "It cannot be repeated now: somebody goes, or it was repeated too often. Please choose.",
    ),
    "told_not_now": ("没有记录下来，情况如下。", "That was not recorded. This is how it stands."),
    "choose": ("请选择其中一项。", "Choose one of these."),
}
