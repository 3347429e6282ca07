"""What the API says to people, in Chinese and English. Data only."""

from api.words_commands import COMMAND_DETAILS, COMMAND_FIELDS
from api.words_devices import DEVICES
from api.words_drills import DRILL_FIELDS
from api.words_incidents import ACT_DETAILS, ACT_FIELDS, ACT_REFUSALS
from api.words_people import PLACES_AND_PEOPLE
from api.words_readiness import READINESS_DETAILS, READINESS_FIELDS
from api.words_restraint import RESTRAINT_FIELDS
from api.words_subscriptions import SUBSCRIPTION_DETAILS, SUBSCRIPTION_FIELDS
from api.words_testing import TESTING_DETAILS, TESTING_FIELDS
from devices.model import Language

ZH, EN = Language.ZH_CN, Language.EN

Sentence = tuple[str, str]
"""Chinese, English; may hold `{names}` filled in by `say`."""

TITLES: dict[str, Sentence] = {
    "too_many": ("请求过于频繁", "Too many requests"),
    "invalid": ("请求内容有误", "The request is not valid"),
    "malformed": ("请求体不是有效的 JSON", "The body is not valid JSON"),
    "unauthorized": ("需要登录或有效的密钥", "Sign in, or send a valid key"),
    "forbidden": ("权限不足", "Not allowed"),
    "not_found": ("未找到", "Not found"),
    "method": ("不支持此方法", "Method not allowed"),
    "refused": ("操作被拒绝", "The act was refused"),
    "conflict": ("与现有数据冲突", "It conflicts with what exists"),
    "in_progress": ("相同请求正在处理", "The same request is being worked on"),
    "version_mismatch": ("数据已被他人修改", "Somebody has changed it"),
    "version_required": ("需要 If-Match", "If-Match is required"),
    "too_large": ("请求体过大", "The body is too large"),
    "encoded": ("不接受压缩的请求体", "A compressed body is not taken"),
    "importing": ("正在导入", "An import is at work"),
    "file_refused": ("文件未被接受", "The file was refused"),
    "key_reused": ("Idempotency-Key 已用于其他请求", "The Idempotency-Key was used for another request"),
    "signature": ("签名无效", "The signature is not valid"),
    "throttled": ("尝试次数过多", "Too many attempts"),
    "unavailable": ("服务暂不可用", "Not available now"),
    "internal": ("服务内部错误", "Internal error"),
    "http": ("请求失败", "The request failed"),
}

DETAILS: dict[str, Sentence] = {
    **ACT_DETAILS,
    **TESTING_DETAILS,
    **READINESS_DETAILS,
    **COMMAND_DETAILS,
    **SUBSCRIPTION_DETAILS,
    "invalid": ("请按 errors 中的说明逐项修正后重试。", "Correct each field named in errors and send it again."),
    "malformed": (
        "请发送 UTF-8 编码的 JSON（Content-Type: application/json）。",
        "Send UTF-8 JSON with Content-Type: application/json.",
    ),
    "no_key": (
        "请在请求头加入 Authorization: Bearer gf_…；密钥由 `gengfu key add` 生成。",
        "Send the header Authorization: Bearer gf_...; `gengfu key add` makes a key.",
    ),
    "bad_key": (
        "密钥不存在、已撤销或已过期；请向管理员申请新密钥。",
        "The key does not exist, was revoked or has expired; ask the administrator for a new one.",
    ),
    "bad_session": ("登录已失效，请重新登录。", "You are signed out: sign in again."),
    "bad_login": (
        "登录名或密码错误；忘记密码请联系管理员。",
        "Wrong login or password; ask the administrator for a new one if you have forgotten it.",
    ),
    "insecure": (
        "服务对外开放但未启用 HTTPS，因此不接受登录；请设置 GENGFU_HTTP_TLS_CERT 与 GENGFU_HTTP_TLS_KEY，"
        "或在前面部署代理并填写 GENGFU_TRUSTED_PROXIES。",
        "The service is open to a network without HTTPS, so nobody may sign in: set GENGFU_HTTP_TLS_CERT and "
        "GENGFU_HTTP_TLS_KEY, or put a proxy before it and name it in GENGFU_TRUSTED_PROXIES.",
    ),
    "cross_site": (
        "此请求来自其他网站，已拒绝；请在更夫页面内操作。",
        "Another site sent this request: do it on Gengfu's own page.",
    ),
    "csrf": (
        "请在 X-CSRF-Token 请求头中带上 GET sessions/current 返回的 csrf_token。",
        "Send the csrf_token of GET sessions/current in the header X-CSRF-Token.",
    ),
    "throttled": ("请在 {seconds} 秒后重试。", "Try again in {seconds} seconds."),
    "role": (
        "角色 {role} 不能执行此操作；需要：{roles}。",
        "The role {role} may not do this; it takes: {roles}.",
    ),
    "whole_deployment": (
        "此操作涉及整个系统；您的权限仅限于部分地点。",
        "This concerns the whole deployment; your rights end at a part of the place tree.",
    ),
    "no_person": (
        "此密钥未绑定人员；请用 `gengfu key add --worker` 生成绑定人员的密钥。",
        "This key belongs to no person; make one with `gengfu key add --worker`.",
    ),
    "in_the_way": (
        "请先处理 errors 中列出的内容，再删除。",
        "Deal with what errors lists first, then remove it.",
    ),
    "too_many_reveals": (
        "每人每小时最多查看 {count} 个完整号码；请稍后再试。",
        "A caller may see {count} whole numbers an hour: try again later.",
    ),
    "picture_bytes": (
        "图片上限为 {bytes} 字节；请压缩后重试。",
        "A picture may have {bytes} bytes at most: make it smaller.",
    ),
    "not_for_drills": ("测试或演练事件不提供住户联系人。", "Household contacts are not shown for a test or a drill."),
    "not_found": ("该对象不存在或不在您的权限范围内。", "It does not exist or is outside your scope."),
    "method": ("此地址支持的方法见 Allow 响应头。", "The Allow header lists what this address takes."),
    "version_mismatch": (
        "请重新读取该对象，再以新的 ETag 提交。",
        "Read it again and send your change with the new ETag.",
    ),
    "version_required": (
        "请在 If-Match 请求头中带上读取时得到的 ETag。",
        "Send the ETag you got when reading it in the If-Match header.",
    ),
    "importing": (
        "正在写入批量导入的数据，请稍后重试。",
        "A bulk import is being written: try again in a moment.",
    ),
    "no_imports": (
        "此进程不受理批量导入。",
        "This process takes no bulk imports.",
    ),
    "encoded": ("请不带 Content-Encoding 发送原文。", "Send the body as it is, without Content-Encoding."),
    "too_large": ("请求体上限为 {bytes} 字节。", "A body may have {bytes} bytes at most."),
    "key_reused": (
        "同一 Idempotency-Key 只能用于完全相同的请求；请换用新的键。",
        "One Idempotency-Key goes with one and the same request; use a new key.",
    ),
    "in_progress": ("请稍后用同一 Idempotency-Key 重试。", "Send it again with the same Idempotency-Key in a moment."),
    "conflict": ("请修正 errors 中的字段后重试。", "Correct the fields named in errors and send it again."),
    "signature": (
        "签名与配置的公网地址不符；请检查 GENGFU_PUBLIC_URL 与账户令牌。",
        "It does not fit the configured public address; check GENGFU_PUBLIC_URL and the account's token.",
    ),
    "unavailable": ("请稍后重试。", "Try again in a moment."),
    "internal": (
        "错误已记录；请稍后重试，并将时间告知管理员。",
        "It was logged; try again later and tell the administrator the time.",
    ),
    "http": ("请检查请求。", "Check the request."),
}

REFUSALS: dict[str, Sentence] = {
    "already_taken": ("{who}已前往。", "{who} is already going."),
    "already_closed": ("事件已关闭。", "The incident is closed."),
    "not_taken": ("尚无人接单。", "Nobody has taken it yet."),
    "not_yours": ("此事件由{who}处理。", "{who} has it, not you."),
    "not_verified": ("火警和燃气事件须先核实再关闭。", "It must be verified before it is closed."),
    "not_paged": ("您未被通知到此事件。", "You were not paged for it."),
    "not_a_worker": ("此密钥未绑定人员，不能代替他人接单。", "This key belongs to no person, so it cannot take it."),
    "wrong_state": ("事件当前状态不允许此操作。", "The incident's state does not allow it."),
    **ACT_REFUSALS,
}
SOMEBODY: Sentence = ("其他人", "somebody else")

FIELDS: dict[str, Sentence] = {
    **ACT_FIELDS,
    **DEVICES,
    **PLACES_AND_PEOPLE,
    **TESTING_FIELDS,
    **READINESS_FIELDS,
    **COMMAND_FIELDS,
    **DRILL_FIELDS,
    **RESTRAINT_FIELDS,
    **SUBSCRIPTION_FIELDS,
    "missing": ("必填，请提供此字段。", "Required: send this field."),
    "extra_forbidden": ("未知字段，请删除或检查拼写。", "Unknown field: remove it or check its spelling."),
    "enum": ("只能是以下之一：{expected}。", "Must be one of: {expected}."),
    "literal_error": ("只能是以下之一：{expected}。", "Must be one of: {expected}."),
    "string_type": ("须为字符串。", "Must be a string."),
    "string_too_short": ("至少 {min_length} 个字符。", "At least {min_length} characters."),
    "string_too_long": ("最多 {max_length} 个字符。", "At most {max_length} characters."),
    "string_pattern_mismatch": ("须符合格式 {pattern}。", "Must match {pattern}."),
    "int_type": ("须为整数。", "Must be a whole number."),
    "int_parsing": ("须为整数。", "Must be a whole number."),
    "int_from_float": ("须为整数。", "Must be a whole number."),
    "float_type": ("须为数字。", "Must be a number."),
    "float_parsing": ("须为数字。", "Must be a number."),
    "finite_number": ("须为有限数字。", "Must be a finite number."),
    "bool_type": ("须为 true 或 false。", "Must be true or false."),
    "bool_parsing": ("须为 true 或 false。", "Must be true or false."),
    "list_type": ("须为数组。", "Must be a list."),
    "dict_type": ("须为对象。", "Must be an object."),
    "model_type": ("须为对象。", "Must be an object."),
    "model_attributes_type": (
        "须为 JSON 对象，并声明 Content-Type: application/json。",
        "Must be a JSON object, sent with Content-Type: application/json.",
    ),
    "too_short": ("至少 {min_length} 项。", "At least {min_length} entries."),
    "too_long": ("最多 {max_length} 项。", "At most {max_length} entries."),
    "greater_than": ("须大于 {gt}。", "Must be greater than {gt}."),
    "greater_than_equal": ("不得小于 {ge}。", "Must be {ge} or more."),
    "less_than": ("须小于 {lt}。", "Must be less than {lt}."),
    "less_than_equal": ("不得大于 {le}。", "Must be {le} or less."),
    "datetime": (
        "须为带时区的 RFC 3339 时间，例如 2026-05-01T08:00:00+08:00。",
        "Must be an RFC 3339 time with its zone, such as 2026-05-01T08:00:00+08:00.",
    ),
    "json_invalid": ("第 {position} 个字符处不是有效的 JSON。", "Not valid JSON at character {position}."),
    "unknown_reference": (
        "找不到 {value}；请先登记，或填写正确的 id 或 code。",
        "There is no {value}: register it first, or give the right id or code.",
    ),
    "not_a_gateway": (
        "{value} 不能作本设备的网关：网关须是另一台设备，且自己不经网关通信。",
        "{value} cannot be its gateway: a gateway is another device that speaks for itself.",
    ),
    "out_of_scope": (
        "不在您的管辖范围内；请填写范围内的地点。",
        "Outside your scope: name a place within it.",
    ),
    "taken": ("{value} 已被使用，请换一个。", "{value} is in use already: choose another."),
    "phone": (
        "不是可拨打的完整号码；请填写如 13800138000、+8613800138000 或带区号的 0376-6550000；不能是短号（119）或分机。",
        "Not a whole number that can be dialled: write it like 13800138000, +8613800138000 or, with its area code, "
        "0376-6550000; neither a short number (119) nor an extension.",
    ),
    "app_address": ("app 通道无需填写地址，请删除此字段。", "The app channel takes no address: remove this field."),
    "address_missing": ("sms 与 voice 通道须填写电话号码。", "The sms and voice channels need a telephone number."),
    "period": ("ends_at 须晚于 starts_at。", "ends_at must be after starts_at."),
    "one_scope": ("grid_id 与 place_id 只能填其一。", "Give grid_id or place_id, not both."),
    "role_takes_grid": ("此岗位按网格排班，请填写 grid_id。", "This role stands for a grid: give grid_id instead."),
    "role_takes_place": ("此岗位按地点排班，请填写 place_id。", "This role stands for a place: give place_id instead."),
    "coordinates": ("lat 与 lon 须同时填写。", "Give lat and lon together."),
    "own_descendant": ("不能移到自身或其下级之下。", "A place cannot stand below itself."),
    "covered": ("{value} 已由网格 {grid} 覆盖。", "{value} is covered by grid {grid} already."),
    "role_needs_person": ("grid_worker 密钥须填写 person_id。", "A grid_worker key needs person_id."),
    "nul": ("不得含有空字符（U+0000）。", "Must not hold the character U+0000."),
    "past": ("须为将来的时间。", "Must lie in the future."),
    "wall_time": ("须为 00:00 至 24:00 的时刻。", "Must be a time of day, 00:00 to 24:00."),
    "night_rule": (
        "起止时刻不能相同；不需要夜间规则时请填 null。",
        "The two times must differ; null for no night rule.",
    ),
    "own_neighbour": ("网格不能与自己相邻，请删除。", "A grid is not its own neighbour: remove it."),
    "timezone": (
        "{value} 不是时区名；请填写 IANA 名称，例如 Asia/Shanghai。",
        "{value} is no time zone: give an IANA name, such as Asia/Shanghai.",
    ),
    "day": ("须为 2000 至 2999 年间的日期，例如 2026-05-01。", "Must be a date of 2000 to 2999, such as 2026-05-01."),
    "last_day": ("last_day 不得早于 first_day。", "last_day must not lie before first_day."),
    "slot_day": ("超出周期；本周期为第 0 至 {last} 天。", "Outside the cycle: its days are 0 to {last}."),
    "pattern_overlap": (
        "与排班“{other}”日期重叠且岗位相同；请先为其填写 last_day，或将班次并入其中。",
        "It overlaps the pattern {other} on the same step: give that one a last_day, or put these slots into it.",
    ),
    "stands_in_for_self": (
        "不能自己顶替自己；请填写被顶替的人。",
        "Nobody stands in for himself: name whom he replaces.",
    ),
    "hours_or_until": ("hours 与 until 须且只能填其一。", "Give hours or until, one of them."),
    "cover_until": (
        "须在现在之后、{days} 天之内。",
        "Must lie in the future, at most {days} days ahead.",
    ),
    "cover_self": ("只能为自己顶班；请删除 person_id。", "You cover for yourself only: remove person_id."),
    "has_left": ("{value} 已离岗，请换人。", "{value} has left: name somebody else."),
    "on_leave": ("{value} 届时请假；请先取消请假或换人。", "{value} is on leave then: end the leave or name somebody."),
    "password": ("须为 {min} 至 {max} 个字符。", "Must have {min} to {max} characters."),
    "wrong_password": ("当前密码不正确。", "This is not the current password."),
    "policy": ("策略无效：{zh}。", "The policy is not valid: {message}."),
    "etag": ('须为读取时得到的 ETag，例如 "3"。', 'Must be the ETag you got when reading it, such as "3".'),
    "idempotency_key": ("须为 1 至 128 个可见 ASCII 字符。", "Must be 1 to 128 visible ASCII characters."),
    "last_event_id": ("须为非负整数。", "Must be a whole number, 0 or more."),
    "invalid": ("取值无效：{message}。", "Not valid: {message}."),
}


ON_DUTY: dict[str, Sentence] = {
    "planned_shift": ("按排定班次值班", "a planned shift"),
    "pattern": ("按轮班规律值班", "a slot of the rotation"),
    "override": ("顶班（已安排）", "stands in, as planned"),
    "cover": ("主动顶班", "said: I cover"),
    "standing_duty": ("常设值守（未排班）", "standing duty: no roster covers this time"),
    "night_rule": ("夜间规则：社区值班先接", "night rule: the community's duty list goes first"),
    "neighbour_on_duty": ("相邻网格当班人员", "stands in a neighbouring grid"),
}
"""Why somebody stands on a step: words of `devices.duty.standing.Why`."""
UNTIL: Sentence = ("{why}，至 {until}", "{why}, until {until}")


def say(sentence: Sentence, language: Language, **names: object) -> str:
    """One sentence in one language with its names filled in."""
    text = sentence[0] if language is ZH else sentence[1]
    return text.format(**names) if names else text
