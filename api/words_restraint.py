"""What the API says about maintenance windows, in Chinese and English. Data only."""

Sentence = tuple[str, str]

RESTRAINT_FIELDS: dict[str, Sentence] = {
    "place_or_device": ("place_id 与 device_id 须且只能填其一。", "Give place_id or device_id, one of the two."),
    "window_too_large": (
        "维护窗口不能覆盖整个社区或更大范围；请选小区、楼栋或更小的地点。",
        "A maintenance window covers no whole community and nothing larger: choose a compound, a building or less.",
    ),
    "window_length": (
        "维护窗口须长于零、最多 {hours} 小时；需要更久请到期后续建。",
        "A maintenance window is longer than nothing and at most {hours} hours: make another when it has ended.",
    ),
    "window_start": (
        "须在现在至 {days} 天之内。",
        "Must lie between now and {days} days ahead.",
    ),
}
