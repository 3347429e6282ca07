"""Simplified Chinese: every sentence that leaves for a phone. Data only; `base` says what each one is for.

Lines for the spot after the Fire Protection Law (articles 28, 44), GB/T 38315-2019 (evacuation plans), the rules on
fire safety of high-rise buildings (Ministry of Emergency Management, order 5), CJJ 51-2016 (gas), TSG T5002-2017
(lifts) and the fire service's public advice on e-bikes; shortened by us.
"""

from alerting.core.languages.base import Acts, Carrier, DrillEnd, Household, Pack, Piece, Probing, Speech, Sums, Words
from alerting.core.languages.han import HAN
from alerting.core.languages.surfaces import (
    Cards,
    Chat,
    Contact,
    Guides,
    PhoneGuide,
    RatingPage,
    Watching,
    WorkerPage,
)
from devices.taxonomy import TAXONOMY, SignalClass

_GUIDANCE = {
    "fire": "先喊人撤离，勿乘电梯",
    "gas": "开窗关阀，勿开关电器",
    "gas.co": "开窗通风，撤到室外",
    "charge": "先断电，勿用水扑救",
    "charge.leakage": "勿触碰，先断电",
    "charge.wire": "先断电，再收走飞线",
    "electric": "先断电，再查看",
    "electric.leakage": "勿触碰，先断电",
    "env.overheat": "查看热源，备灭火器",
    "ebike.in_elevator": "劝其推出，勿同乘",
    "ebike.indoor": "劝其推离，勿在楼内充电",
    "object": "勿靠近外墙，留意上方",
    "intrusion": "结伴前往，勿追赶",
    "person.fall": "勿随意搬动，伤重叫救护车",
    "person.sos": "先敲门呼喊，再打电话",
    "water.leak": "先关水阀，防止触电",
    "elevator.trapped": "安抚被困者，勿扒门",
    "passage.blocked": "清走杂物，保持畅通",
    "lane.blocked": "劝离车辆，保持畅通",
    "exit.blocked": "清走杂物，保持畅通",
    "water.pressure_low": "查看水泵和阀门",
    "detector.muted": "恢复前加强巡查",
    "detector.isolated": "恢复前加强巡查",
}

_WORDS = Words(
    fire="火警",
    fire_within="火警",
    loud=False,
    confirmed="{head}已确认",
    spreading="{head}扩大",
    confirmed_spreading="{head}已确认并扩大",
    first_out="首发{place}",
    spread_to="扩大：{place}",
    still_charging="仍在充电",
    drill="演练",
    test="测试",
    maybe_test="疑似测试",
    late="延迟上报",
    mark_end="，",
    unrecorded="未记录",
    somebody="有人员",
    place_units_kept=22,
    who_units_max=14,
    first_units_max=8,
    rest_units_max=14,
    advice="确认起火拨{number}",
    advice_app="确认起火立即拨打{number}。",
    direct="请直接拨打{number}",
    direct_act="请直接拨打{number}，{act}",
    household_confirms=("住户确认起火或求助", "住户确认险情或求助"),
    household_denies=("住户称未着火", "住户称无异常"),
    power_cut="已远程断电",
    power_live="断电未成功，请手动断电",
    app_ask="请确认是否前往",
    acts=Acts(
        reply="出发回复1",
        call="接听来电按1",
        app="请在更夫应用中确认",
        link="确认：{link} ",
        go={
            SignalClass.A: "请立即到场",
            SignalClass.S: "请到场查看",
            SignalClass.T: "请安排检修",
            SignalClass.I: "请知悉",
        },
        find="请立即核实位置",
    ),
    page=(
        Piece("{mark}{head}："),
        Piece("{place}"),
        Piece("{sensor}", drop=6),
        Piece("，{aside}", drop=10),
        Piece("{aside_rest}", drop=6),
        Piece("，{time}。"),
        Piece("{charging}，", drop=9),
        Piece("{live}，", drop=8),
        Piece("{power}，", drop=2),
        Piece("{household}，", drop=7),
        Piece("已{waited}分钟无人应答，{direct}，"),
        Piece("已{minutes}分钟无人应答，", drop=5),
        Piece("{act}"),
        Piece("。{advice}", drop=4),
        Piece("。{guidance}", drop=1),
        Piece("。{link}", drop=3),
        Piece("。编号{reference}"),
        Piece("（{unrecorded}）"),
    ),
    update=(
        Piece("{mark}{who}已前往：{hazard}，"),
        Piece("{place}"),
        Piece("，{time}"),
        Piece("。{live}", drop=3),
        Piece("。{power}", drop=1),
        Piece("。您无需前往", drop=2),
        Piece("。编号{reference}"),
        Piece("（{unrecorded}）"),
    ),
    all_clear=(
        Piece("{mark}警情解除：{hazard}，"),
        Piece("{place}"),
        Piece("，{time}"),
        Piece("。无需前往", drop=2),
        Piece("。编号{reference}"),
        Piece("（{unrecorded}）"),
    ),
    command=(
        Piece("{mark}断电未成功，请到场手动断电："),
        Piece("{place}"),
        Piece("，{time}"),
        Piece("。编号{reference}"),
        Piece("（{unrecorded}）"),
    ),
    app_title=(Piece("{mark}{head}："), Piece("{place}")),
    app_page=(
        Piece("{sensor}，"),
        Piece("{aside_whole}，"),
        Piece("{time}。"),
        Piece("{charging}。"),
        Piece("{live}。"),
        Piece("{power}。"),
        Piece("{household}。"),
        Piece("已{waited}分钟无人应答，{direct}。"),
        Piece("已{minutes}分钟无人应答。"),
        Piece("{act}。"),
        Piece("{advice}"),
        Piece("{guidance}。"),
        Piece("编号{reference}"),
        Piece("（{unrecorded}）"),
    ),
    app_update=(
        Piece("{who}已前往。"),
        Piece("{live}。"),
        Piece("{power}。"),
        Piece("警情时间{time}，您无需前往。"),
        Piece("编号{reference}"),
    ),
    app_all_clear=(Piece("警情已解除。"), Piece("警情时间{time}，无需前往。"), Piece("编号{reference}")),
    app_command=(Piece("断电未成功，请到场手动断电。"), Piece("警情时间{time}。"), Piece("编号{reference}")),
    ellipsis="…",
    unplaced=("未登记位置(设备 ", ")"),
    unplaced_spoken="未登记位置，设备尾号{ending}",
    unplaced_silent="未登记位置",
    unspeakable="位置请看短信",
    speech=Speech(
        mark="{mark}。",
        head="{head}。",
        place="{place}。",
        place_in_full="完整位置，{place}。",
        sensor="{sensor}。",
        minutes="已{minutes}分钟无人应答。",
        direct="请直接拨打{number}。",
        household="{household}。",
        power="{power}。",
        live="{live}。",
        command="断电未成功，请到场手动断电。",
        update="{who}已前往，您无需前往。",
        all_clear="警情已解除，无需前往。",
        unrecorded="本警情尚未记录。",
        guidance="{guidance}，",
        keys="确认出发请按一，无法前往请按二，重听请按三。",
        keys_told="重听请按三。",
        recorded="已记录，{guidance}请注意安全。",
        recorded_fire="已记录，{guidance}请注意安全，确认起火立即拨打{number}。",
        recorded_drill="已记录，这是演练。",
        recorded_told="无需前往，谢谢。",
        declined="已转派，谢谢。",
        declined_told="无需前往，谢谢。",
        missed="未确认，稍后再次呼叫。",
        missed_told="通知完毕，再见。",
        wait="请稍候。",
        standing="有报警。",
    ),
)

_TOLD = (
    Piece("消防值班：", drop=1),
    Piece("您登记的住所", drop=2),
    Piece("{place}"),
    Piece("，{time}{hazard}：{result}。"),
)

_HOUSEHOLD = Household(
    say="社区消防值班系统来电。您登记的住所{place}，{hazard}。{advice}",
    advice=(
        "如已起火，请立即离开，拨打{number}，否则请小心查看。",
        "请勿开关电器，立即到室外，有险情拨打{number}。",
        "如有危险，请立即离开，拨打{number}，否则请小心查看。",
    ),
    keys=(
        "着火或需要帮助请按一，没有着火请按二，重听请按三。",
        "有异味、不适或需要帮助请按一，没有异常请按二，重听请按三。",
        "情况属实或需要帮助请按一，没有异常请按二，重听请按三。",
    ),
    recorded="已通知值班人员。请立即到安全处，拨打{number}。",
    declined="已记录。工作人员仍会上门查看，请配合。",
    missed="未收到按键，工作人员会上门查看。如有危险请拨打{number}。",
    wait="请稍候。",
    standing="社区消防值班系统来电，您登记的住所有报警。",
    told=_TOLD,
    asked_by_reply=(*_TOLD, Piece("满意回复1，不满意回复2。")),
    asked_by_link=(Piece("{place}，", drop=1), Piece("住所{time}{hazard}：{result}。满意吗？{link}")),
    said={
        "real": ("真实火情，已处置", "情况属实，已处置"),
        "false_alarm": ("误报，已解除", "误报，已解除"),
        "device_fault": ("设备故障，将检修", "设备故障，将检修"),
        "test": ("设备测试", "设备测试"),
    },
)

_SUMMING = Sums(
    sms=(
        Piece("{mark}{head}汇总："),
        Piece("{place}"),
        Piece("现有{total}{devices}，"),
        Piece("新增{fresh}处"),
        Piece("：{kinds}", drop=2),
        Piece("。最新{newest}", drop=1),
        Piece("。{act}", drop=3),
        Piece("。编号{reference}"),
    ),
    title=(Piece("{mark}{head}汇总："), Piece("{place}")),
    body=(
        Piece("现有{total}{devices}，"),
        Piece("新增{fresh}处"),
        Piece("：{kinds}"),
        Piece("。最新：{newest}"),
        Piece("。编号{reference}"),
    ),
    said="{mark}{head}汇总。{place}。{total}新增{fresh}处。",
    said_total="现有{count}{devices}，",
    said_latest="最新位置，{newest}。",
    devices=("个探测器报警", "个设备报警", "处异常", "台设备故障"),
    device=("个探测器报警", "个设备报警", "处异常", "台设备故障"),
    fresh="{count}",
    fresh_one="{count}",
    kind="{label}{count}",
    more="等",
    head_check="监管",
    head_trouble="故障",
    separator="、",
    digest=(
        Piece("更夫日报："),
        Piece("{place}"),
        Piece("待办{total}项"),
        Piece("：{kinds}", drop=1),
        Piece("，最早{age}", drop=2),
        Piece("。请在更夫应用查看"),
    ),
    digest_title="更夫日报：{place}待办{total}项",
    digest_rest="另有{rest}项，见工单列表",
    digest_line="{label}：{place}，{age}，编号{reference}",
    everywhere="全部网格",
    hours_ago="{count}小时前",
    days_ago="{count}天前",
    grid="网格",
)

_DRILL_OVER = DrillEnd(
    sms=(
        Piece("演练结束：{hazard}，"),
        Piece("{place}"),
        Piece("，{time}"),
        Piece("。感谢参与", drop=1),
        Piece("。编号{reference}"),
    ),
    title="演练结束",
    body="演练已结束，感谢参与。编号{reference}",
    say="演练结束，感谢参与。",
)

_DRILL_STOPPED = DrillEnd(
    sms=(
        Piece("演练中止：本网格有真实警情，请只按真实通知行动。"),
        Piece("演练地点", drop=1),
        Piece("{place}"),
        Piece("。编号{reference}"),
    ),
    title="演练中止：有真实警情",
    body="演练已中止：本网格有真实警情，请只按真实通知行动。编号{reference}",
    say="演练中止。本网格有真实警情，请只按真实通知行动。",
)

_PROBING = Probing(
    code_sms="【更夫】验证码{code}，{minutes}分钟内有效，用于登记此号码接收报警。请告知登记人员，非本人请忽略。",
    say="这里是更夫报警系统的号码验证，没有发生警情。",
    keys="确认用此号码接收报警请按一，不是本人请按二，重听请按三。",
    recorded="号码已验证，谢谢。",
    declined="已记录，谢谢。",
    missed="未确认，本次验证结束，再见。",
    wait="请稍候。",
    push_title="验证报警通知",
    push_body="请点按此通知，确认本机可以接收报警。没有发生警情。",
    self_test_title="每日自检，没有警情",
    self_test_body="请点按此通知，确认本机今天能收到报警。",
    self_test_ask="请点按下面的按钮，确认本机今天能收到报警。",
    self_test_button="确认收到",
    self_test_tapped="已确认：本机今天能收到报警。谢谢。",
    lacks={
        "no_alarm": "限时内未收到报警",
        "not_restored": "限时内未恢复正常",
        "no_signal": "未报告信号强度",
        "weak_signal": "信号强度低于该型号的要求",
        "paged": "测试中的报警已按真实警情通知人员",
    },
)

_CARRIER = Carrier(
    join="，",
    join_spoken="，",
    reply="回复1确认出发",
    call="接听来电按1",
    app="在更夫应用中确认",
    go={
        SignalClass.A: "立即到场",
        SignalClass.S: "到场查看",
        SignalClass.T: "安排检修",
        SignalClass.I: "知悉",
    },
    find="立即核实位置",
    direct="直接拨打{number}（已{minutes}分钟无人应答）",
    direct_short="直接拨打{number}",
    direct_spoken="请直接拨打{number}",
    live="手动断电（断电未成功）",
    live_short="手动断电",
    live_spoken="断电未成功，请手动断电",
    update="{who}已前往，您无需前往",
    all_clear="警情已解除，无需前往",
    command="断电未成功，请到场手动断电",
    drill_over="演练结束，感谢参与",
    drill_stopped="演练中止，本网格有真实警情，请只按真实通知行动",
    drilled="演练{hazard}",
    summary="{head}汇总",
    summary_text="现有{total}{devices}，新增{fresh}处，编号{reference}",
    summary_fresh="新增{fresh}处，编号{reference}",
    summary_spoken="{total}新增{fresh}处",
    digest="更夫日报",
    digest_text="待办{total}项，请在更夫应用查看",
    result="消防值班",
    home="您登记的住所{place}",
    result_text="{hazard}，{result}",
    result_said={
        "real": ("真实火情，已处置", "情况属实，已处置"),
        "false_alarm": ("误报，已解除", "误报，已解除"),
        "device_fault": ("设备故障，将检修", "设备故障，将检修"),
        "test": ("设备测试", "设备测试"),
    },
    result_reply="满意回复1，不满意回复2",
    unplaced=("未登记(设备 ", ")"),
    unplaced_spoken="未登记，设备尾号{ending}",
    unplaced_silent="未登记",
    number_sign="号",
    household=("{hazard}", "{hazard}，请勿开关电器，立即到室外", "{hazard}"),
)

_CARDS = Cards(
    going="出发",
    cannot="无法前往",
    place="地点",
    time="时间",
    reference="编号",
    map="地图",
    see="查看",
    answer="打开并答复",
    heard={"1": "已收到：出发", "2": "已收到：无法前往", "3": "已收到"},
)

_WORKER_PAGE = WorkerPage(
    when="时间",
    reference="编号",
    map="打开地图",
    choices={"going": "我去", "cannot": "我去不了", "again": "再次呼叫我"},
    standings={
        "open": "还没有人去。您能去吗？",
        "yours": "已记录：您去。请注意安全。",
        "taken": "{name}正在前往，您不用去。",
        "over": "此事已处理，无需再去。",
    },
    told={
        "declined": "已记录：您去不了。正在通知下一位。",
        "again": "好的，会尽快再次联系您。",
        "not_again": "现在不能再次联系：已有人去，或次数已满。请直接选择。",
        "not_now": "没有记录下来，情况如下。",
    },
    choose="请选择其中一项。",
)

_RATING_PAGE = RatingPage(
    title="警情处置评价",
    question="您对本次警情的处置满意吗？",
    satisfied="满意",
    not_satisfied="不满意",
    thanks="谢谢，已记录。",
    gone="此链接无效或已过期。",
)

_CHAT = Chat(
    opened="{label}，{place}，{time}，编号{reference}",
    taken="{who}已前往：{label}，{place}，编号{reference}",
    closed="已结束：{label}，{place}，编号{reference}",
)

_CONTACT = Contact(name="更夫值班", note="消防报警来电，请允许响铃")

_REPEAT_15 = (
    "设置 > 声音 > 勿扰（免打扰）> 来电：允许收藏（星标）联系人，并打开“重复来电”：同一号码15分钟内第二次来电会响铃。"
)
_REPEAT_3 = (
    "设置 > 声音和振动 > 免打扰（情景模式）> 来电：允许收藏联系人，并打开“重复来电”：同一号码3分钟内第二次来电会响铃。"
)
_UNBLOCK = "：把联系卡中的号码全部加入白名单，并关闭拦截陌生来电。"
_AWAKE = "：让所用的应用在后台运行，否则收不到消息。"

_GUIDES = Guides(
    note="菜单名称因系统版本而异：找不到时，请在“设置”顶部的搜索框中搜索关键词。以上均不影响手机的其他来电。",
    save="扫描联系卡二维码，把全部来电号码存为一个联系人，并设为收藏（星标）。",
    notify="设置 > 通知 > 更夫（或所用浏览器、办公应用）：允许通知、锁屏显示、响铃，允许在勿扰时打扰。",
    try_out="请值班室重新拨打一次验证电话，确认会响铃。",
    brands={
        "huawei": PhoneGuide(
            name="华为",
            repeat=_REPEAT_15,
            unblock="电话 > 更多 > 骚扰拦截 > 设置 > 白名单" + _UNBLOCK,
            awake="设置 > 应用和服务 > 应用启动管理 > 改为手动管理，允许自启动、关联启动、后台活动" + _AWAKE,
        ),
        "xiaomi": PhoneGuide(
            name="小米 / 红米",
            repeat=_REPEAT_15,
            unblock="电话（或手机管家）> 骚扰拦截 > 设置 > 白名单" + _UNBLOCK,
            awake="设置 > 应用设置 > 应用管理 > 打开自启动；省电策略改为无限制" + _AWAKE,
        ),
        "oppo": PhoneGuide(
            name="OPPO / 一加 / realme",
            repeat=_REPEAT_15,
            unblock="电话 > 菜单 > 骚扰拦截 > 设置 > 白名单" + _UNBLOCK,
            awake="设置 > 电池 > 应用耗电管理 > 允许自启动和完全后台行为" + _AWAKE,
        ),
        "vivo": PhoneGuide(
            name="vivo / iQOO",
            repeat=_REPEAT_15,
            unblock="电话 > 设置 > 骚扰拦截 > 白名单" + _UNBLOCK,
            awake="设置 > 电池 > 后台耗电管理 > 允许后台高耗电；i管家 > 自启动" + _AWAKE,
        ),
        "honor": PhoneGuide(
            name="荣耀",
            repeat=_REPEAT_15,
            unblock="电话 > 更多 > 骚扰拦截 > 设置 > 白名单" + _UNBLOCK,
            awake="设置 > 应用 > 应用启动管理 > 改为手动管理，三项全部允许" + _AWAKE,
        ),
        "samsung": PhoneGuide(
            name="三星",
            repeat=_REPEAT_15,
            unblock="电话 > 更多 > 设置 > 来电拦截与防骚扰" + _UNBLOCK,
            awake="设置 > 电池 > 后台使用限制 > 从不休眠的应用程序" + _AWAKE,
        ),
        "apple": PhoneGuide(
            name="苹果 iPhone",
            repeat=(
                "编辑此联系人 > 电话铃声 > 打开“紧急来电可绕过”（最可靠）；设置 > 专注模式 > 勿扰 > 联系人："
                "允许此联系人，并打开“允许重复来电”：3分钟内第二次来电会响铃。"
            ),
            unblock="设置 > 电话：关闭“将未知来电静音”，或确认已保存联系卡；信息 > 过滤未知发件人：关闭。",
            awake="把更夫网页添加到主屏幕（推送需要），从主屏幕打开并允许通知；不要从后台划掉。",
        ),
        "other": PhoneGuide(
            name="其他手机",
            repeat=_REPEAT_3,
            unblock="电话 > 设置 > 骚扰拦截（来电过滤）" + _UNBLOCK,
            awake="设置 > 电池 > 电池优化：不优化此应用" + _AWAKE,
        ),
    },
)

_WATCHING = Watching(
    parts={"broker": "消息服务器", "database": "数据库", "provider": "短信电话"},
    join="、",
    causes={
        "silent": "报警服务没有应答",
        "not_ready": "报警服务未就绪：{parts}",
        "account": "短信电话账户不可用",
        "canary": "自检报警未能通过",
        "violation": "有警情的下一步丢失或延误",
    },
    texts={
        "trouble": "【更夫】{instance}故障：{cause}，自{since}起。真实报警可能无人收到，请立即处理。",
        "well": "【更夫】{instance}已恢复正常。故障自{since}起：{cause}。",
        "violation": "【更夫】{instance}注意：{cause}。请查看日志。",
        "test": "【更夫】{instance}看门狗测试，系统正常，无需处理。",
    },
    spoken={
        "trouble": "这里是更夫看门狗。{cause}。真实报警可能无人收到，请立即处理。",
        "violation": "这里是更夫看门狗。{cause}。请查看日志。",
        "test": "这里是更夫看门狗的测试电话，系统正常，无需处理。",
    },
)

PACK = Pack(
    script=HAN,
    voice="zh-CN",
    product="更夫",
    labels={code: hazard.zh for code, hazard in TAXONOMY.items()},
    guidance=_GUIDANCE,
    words=_WORDS,
    household=_HOUSEHOLD,
    summing=_SUMMING,
    drill_over=_DRILL_OVER,
    drill_stopped=_DRILL_STOPPED,
    probing=_PROBING,
    carrier=_CARRIER,
    cards=_CARDS,
    worker_page=_WORKER_PAGE,
    rating_page=_RATING_PAGE,
    chat=_CHAT,
    contact=_CONTACT,
    guides=_GUIDES,
    watching=_WATCHING,
    templates={
        "sms_page": "{what}，位置{place}，时间{time}，请{act}。编号{code}",
        "sms_told": "{what}。警情为{hazard}，位置{place}，时间{time}，编号{code}",
        "sms_notice": "{title}，关于{place}，情况{text}，时间{time}",
        "sms_code": "您的验证码为{code}，10分钟内有效，用于登记此号码接收报警。请告知登记人员，非本人操作请忽略。",
        "voice_page": "{what}，位置{place}。确认出发请按一，无法前往请按二。",
        "voice_told": "{what}，位置{place}。无需按键，谢谢接听。",
        "voice_household": "社区消防值班系统来电。您登记的住所{place}，传感器报告{what}。"
        "如有危险请立即离开并拨打幺幺九。情况属实或需要帮助请按一，没有异常请按二。",
        "voice_check": "这里是更夫报警系统的号码验证，没有发生警情。确认用此号码接收报警请按一，不是本人请按二。",
    },
)
