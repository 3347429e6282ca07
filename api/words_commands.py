"""What the API says about commands to devices, in Chinese and English. Data only."""

Sentence = tuple[str, str]

COMMAND_FIELDS: dict[str, Sentence] = {
    "action_not_declared": (
        "设备 {device} 未声明此动作；请在其型号的 actions 中声明，或由管理员在 PUT /devices/{device}/actions "
        "中填写 declared。",
        "Device {device} has not declared this action: name it in its model's actions, or have an administrator PUT "
        "/devices/{device}/actions with declared.",
    ),
    "action_not_permitted": (
        "设备 {device} 的此动作尚未获准；请管理员 PUT /devices/{device}/actions 将 permitted 设为 true。",
        "Nobody permits this action of device {device}: have an administrator PUT /devices/{device}/actions with "
        "permitted true.",
    ),
    "port_not_commanded": (
        "端口由充电桩 {station} 代为应答；请向充电桩下发，用 args 指明端口。",
        "The station {station} answers for its ports: command the station, and name the port in args.",
    ),
    "removed_not_commanded": ("设备已拆除，不能下发指令。", "The device was removed: it cannot be commanded."),
}
COMMAND_DETAILS: dict[str, Sentence] = {
    "action_forbidden": (
        "该设备的此动作尚未获准，未下发；已记录。",
        "This action of the device is not permitted: nothing was sent, and that is on record.",
    ),
}
