"""What the API says to people, in Chinese and English. Data only."""

from devices.model import Language

ZH, EN = Language.ZH_CN, Language.EN

Sentence = tuple[str, str]
"""Chinese, English; may hold `{names}` filled in by `say`."""

TITLES: dict[str, Sentence] = {
    "invalid": ("请求内容有误", "The request is not valid"),
    "malformed": ("请求体不是有效的 JSON", "The body is not valid JSON"),
    "unauthorized": ("需要有效的密钥", "A valid key is needed"),
    "forbidden": ("权限不足", "Not allowed"),
    "not_found": ("未找到", "Not found"),
    "method": ("不支持此方法", "Method not allowed"),
    "refused": ("操作被拒绝", "The act was refused"),
    "conflict": ("与现有数据冲突", "It conflicts with what exists"),
    "in_progress": ("相同请求正在处理", "The same request is being worked on"),
    "version_mismatch": ("数据已被他人修改", "Somebody has changed it"),
    "version_required": ("需要 If-Match", "If-Match is required"),
    "too_large": ("请求体过大", "The body is too large"),
    "key_reused": ("Idempotency-Key 已用于其他请求", "The Idempotency-Key was used for another request"),
    "signature": ("签名无效", "The signature is not valid"),
    "unavailable": ("服务暂不可用", "Not available now"),
    "internal": ("服务内部错误", "Internal error"),
    "http": ("请求失败", "The request failed"),
}

DETAILS: dict[str, Sentence] = {
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
    "role": (
        "密钥角色 {role} 不能执行此操作；需要：{roles}。",
        "A key with role {role} may not do this; it takes: {roles}.",
    ),
    "whole_deployment": (
        "此操作涉及整个系统；您的权限仅限于部分地点。",
        "This concerns the whole deployment; your rights end at a part of the place tree.",
    ),
    "no_person": (
        "此密钥未绑定人员；请用 `gengfu key add --worker` 生成绑定人员的密钥。",
        "This key belongs to no person; make one with `gengfu key add --worker`.",
    ),
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
}
SOMEBODY: Sentence = ("其他人", "somebody else")

FIELDS: dict[str, Sentence] = {
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
    "out_of_scope": (
        "不在您的管辖范围内；请填写范围内的地点。",
        "Outside your scope: name a place within it.",
    ),
    "taken": ("{value} 已被使用，请换一个。", "{value} is in use already: choose another."),
    "phone": (
        "不是有效的电话号码；请填写如 13800138000 或 +8613800138000。",
        "Not a valid telephone number: write it like 13800138000 or +8613800138000.",
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
    "past": ("须为将来的时间。", "Must lie in the future."),
    "policy": ("策略无效：{message}。", "The policy is not valid: {message}."),
    "etag": ('须为读取时得到的 ETag，例如 "3"。', 'Must be the ETag you got when reading it, such as "3".'),
    "idempotency_key": ("须为 1 至 128 个可见 ASCII 字符。", "Must be 1 to 128 visible ASCII characters."),
    "last_event_id": ("须为非负整数。", "Must be a whole number, 0 or more."),
    "invalid": ("取值无效：{message}。", "Not valid: {message}."),
}


def say(sentence: Sentence, language: Language, **names: object) -> str:
    """One sentence in one language with its names filled in."""
    text = sentence[0] if language is ZH else sentence[1]
    return text.format(**names) if names else text
