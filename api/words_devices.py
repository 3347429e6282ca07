"""What the API says about fields of devices, labels and enrolment, in Chinese and English. Data only."""

Sentence = tuple[str, str]

DEVICES: dict[str, Sentence] = {
    "imei_length": ("IMEI 须为 15 位数字，收到 {count} 位。", "An IMEI has 15 digits, here are {count}."),
    "imei_check": (
        "IMEI 校验位（第 15 位）为 {digit}，应为 {expected}：有数字误读，请重新扫码或核对标签。",
        "The IMEI's check digit (the 15th) is {digit} and should be {expected}: a digit was misread. Scan it again or "
        "compare it with the label.",
    ),
    "dev_eui": ("DevEUI 须为 16 位十六进制数。", "A DevEUI has 16 hexadecimal digits."),
    "identity_text": ("须为 1 至 {max} 个可打印字符。", "Must be 1 to {max} printable characters."),
    "identity_taken": (
        "{value} 已登记为设备 {device} 的标识。",
        "{value} is an identity of the device {device} already.",
    ),
    "identity_known": (
        "{value} 已登记在其他设备上；请核对标签或联系管理员。",
        "{value} belongs to another device already: compare it with the label, or ask the administrator.",
    ),
    "identity_twice": ("{value} 在此清单中重复出现。", "{value} stands twice in this list."),
    "label_empty": ("未扫到内容，请重新扫码。", "Nothing was scanned: scan it again."),
    "label_long": (
        "标签内容最多 {max} 个字符；请扫设备上的标签。",
        "At most {max} characters: scan the device's own label.",
    ),
    "label_unknown": (
        "无法识别此标签；请扫设备本体上的 IMEI、DevEUI 或序列号码，或手动输入 IMEI。",
        "This label says nothing we can read: scan the IMEI, DevEUI or serial number on the device, or type its IMEI.",
    ),
    "label_many": (
        "标签含多台设备，可能是外箱标签；请扫单台设备的标签。",
        "It names several devices, as the label of a carton does: scan the label of one device.",
    ),
    "label_check": (
        "标签短码校验不符，有字符误读；请重新扫码。",
        "The label's check character does not fit, so one was misread: scan it again.",
    ),
    "label_lora": (
        "不是有效的 LoRaWAN 标签（LW:D0:JoinEUI:DevEUI:ProfileID）；请重新扫码。",
        "Not a valid LoRaWAN label (LW:D0:JoinEUI:DevEUI:ProfileID): scan it again.",
    ),
    "label_ambiguous": (
        "标签对应多台已登记设备；请填写 model，或改扫 IMEI、DevEUI。",
        "Several registered devices fit this label: name its model, or scan the IMEI or DevEUI.",
    ),
    "label_spare": (
        "此标签尚未用于任何设备；请扫设备自身的标签。",
        "This label is on no device yet: scan the maker's own.",
    ),
    "model_or_kind": (
        "设备未预先登记；请填写 model（型号）或 kind。",
        "The device was not preloaded: name its model, or at least its kind.",
    ),
    "model_differs": (
        "此设备已登记为型号 {value}；请删除 model，或先更正设备。",
        "This device is registered as the model {value}: leave model out, or correct the device first.",
    ),
    "name_needed": ("无法由标识生成设备名；请填写 id。", "No name can be made of its identity: give an id."),
    "installed_here": (
        "设备 {device} 已安装在此处；如需新凭据，请用 devices/{device}/credential。",
        "The device {device} is installed here already; devices/{device}/credential gives it a new secret.",
    ),
    "installed_elsewhere": (
        "设备 {device} 已安装在{place}；请先在该处拆除或移动（PATCH place_id），若用于更换请用 replace。",
        "The device {device} is installed at {place} already: remove or move it (PATCH place_id) first, or use replace "
        "where it takes another one's place.",
    ),
    "installed_out_of_scope": (
        "此设备已安装在您管辖范围之外；请核对标签或联系管理员。",
        "This device is installed outside your scope already: compare it with the label, or ask the administrator.",
    ),
    "is_port": (
        "这是充电站 {station} 的端口，由充电站代为通信；请操作充电站。",
        "This is a port of the charging station {station}, which speaks for it: name the station.",
    ),
    "no_place_to_take": (
        "原设备已拆除或未安装，没有可接替的位置；请改用 enrolments。",
        "The old device hangs nowhere, so there is no place to take: use enrolments.",
    ),
    "one_of_label_id": ("label 与 id 须且只能填其一。", "Give either label or id."),
    "itself": ("不能用设备更换其自身。", "A device cannot replace itself."),
    "one_end": ("until 与 hours 须且只能填其一。", "Give either until or hours."),
    "too_far": ("最长 {days} 天。", "{days} days at most."),
    "needs_walk_test": (
        "须通过报警测试才能验收；请用 devices/{device}/walk-test。",
        "Only a passed walk test commissions a device: devices/{device}/walk-test.",
    ),
    "needs_period": (
        "停用须有期限和原因；请用 devices/{device}/out-of-service。",
        "Out of service takes an end and a reason: devices/{device}/out-of-service.",
    ),
    "is_installed": ("设备已安装。", "The device is installed already."),
    "is_removed": (
        "设备已拆除；可重新登记（state: registered）或再次扫码安装。",
        "The device was removed: put it back into stock (state registered) or enrol it again.",
    ),
    "not_out_of_service": ("设备未停用。", "The device is not out of service."),
    "not_installed": ("设备尚未安装。", "The device is not installed yet."),
    "remove_first": ("请先拆除设备。", "Remove the device first."),
    "not_a_flat": ("须为房间（room）。", "Must be a room."),
    "without_label": (
        "{count} 台设备尚无短码；请先 POST labels 生成短码再打印。",
        "{count} devices have no code yet: POST labels gives them one, then print.",
    ),
    "too_many_labels": (
        "一次最多 {max} 张；请选择更小的地点。",
        "{max} labels at once at most: name a smaller place.",
    ),
    "no_labels": ("此范围内没有可打印标签的设备。", "There is no device here to print a label for."),
    "ports_name": (
        "充电站的 id 最多 {max} 个字符（端口名为 id-p01）。",
        "A charging station's id has {max} characters at most: its ports are called id-p01.",
    ),
}
