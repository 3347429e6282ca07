"""What the API says about drills, in Chinese and English. Data only."""

Sentence = tuple[str, str]

DRILL_FIELDS: dict[str, Sentence] = {
    "drill_running": (
        "该网格的演练正在进行；请等待其结束，或先结束它。",
        "A drill of this grid is running: wait for its end, or end it first.",
    ),
    "drill_real_alarm": (
        "该网格有未处置完的真实警情 {reference}，不能演练；请先处置。",
        "A real alarm {reference} is open in this grid: deal with it first.",
    ),
    "drill_no_place": (
        "该网格没有覆盖任何地点；请填写 place，或先为网格登记地点。",
        "This grid covers no place: name a place, or give the grid one first.",
    ),
    "drill_place": (
        "该地点不属于网格 {grid}；请选择网格内的地点。",
        "This place is not in grid {grid}: choose one that is.",
    ),
    "drill_code": (
        "只能演练报警类代码，如 fire.smoke。",
        "Only codes of alarms (class A) can be exercised, such as fire.smoke.",
    ),
}
