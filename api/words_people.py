"""What the API says about fields of places, organisations, people and households, in Chinese and English. Data only."""

from devices.model import PlaceKind

Sentence = tuple[str, str]

PLACE_KINDS: dict[PlaceKind, Sentence] = {
    PlaceKind.CITY: ("城市", "city"),
    PlaceKind.DISTRICT: ("区县", "district"),
    PlaceKind.STREET: ("街道", "street"),
    PlaceKind.COMMUNITY: ("社区", "community"),
    PlaceKind.COMPOUND: ("小区", "compound"),
    PlaceKind.BUILDING: ("楼栋", "building"),
    PlaceKind.UNIT: ("单元", "unit"),
    PlaceKind.FLOOR: ("楼层", "floor"),
    PlaceKind.ROOM: ("房间", "room"),
    PlaceKind.PART: ("部位", "part"),
}

PLACES_AND_PEOPLE: dict[str, Sentence] = {
    "parent_kind": (
        "{child}不能设在{parent}之下；上级须为更高一级的地点（部位可设在任何地点之下）。",
        "A {child} cannot stand below a {parent}: name a larger place (a part may stand anywhere).",
    ),
    "child_kind": (
        "其下已有{child}，不能改为{parent}；请先移走下级地点。",
        "There is a {child} below it, so it cannot be a {parent}: move what is below it first.",
    ),
    "sibling": (
        "同一上级下已有同类同名地点“{value}”（{id}）；请使用它或换一个名称。",
        "The same place has one of this kind and name already: {value} ({id}). Use it or choose another name.",
    ),
    "has_children": (
        "其下还有 {count} 个地点，请先移走或删除。",
        "{count} places stand below it: move or remove them first.",
    ),
    "has_devices": ("此处登记有 {count} 台设备，请先移走。", "{count} devices are placed here: move them first."),
    "has_grids": ("{count} 个网格用到此地点，请先调整网格。", "{count} grids use it: change them first."),
    "has_duty": ("{count} 个班次用到此地点，请先调整排班。", "{count} shifts stand for it: change them first."),
    "has_people": (
        "{count} 名人员或住户归属此地点，请先调整。",
        "{count} people or household contacts belong here: move them first.",
    ),
    "has_flats": ("此处有入户记录，不能删除。", "There is a record of a visit to this flat: it stays."),
    "has_history": (
        "此处有事件或设备的历史记录，不能删除。",
        "Incidents or devices happened here: their history keeps it.",
    ),
    "has_rights": (
        "{count} 个账号或密钥的权限限定于此，请先调整。",
        "{count} users or keys are bound to it: change them first.",
    ),
    "has_compounds": ("{count} 个小区用到此单位，请先调整。", "{count} compounds name it: change them first."),
    "not_a_compound": ("{value}不是小区；只有小区才有此资料。", "{value} is no compound: only compounds have this."),
    "organisation_kind": ("须为{expected}。", "Must name an organisation of kind {expected}."),
    "not_a_flat": ("须为房间（或自建房楼栋）。", "Name a room, or a building that is one home."),
    "household_elsewhere": ("住户联系人请在 households 登记。", "Household contacts are registered under households."),
    "household_role": (
        "住户不在值班表内；其联系方式请在 households 登记。",
        "A household stands on no roster: register its contacts under households.",
    ),
    "volunteer_hours": ("志愿者须填写可联系时段 hours。", "A volunteer needs hours in which to be asked."),
    "hours": ("开始与结束时间不能相同。", "The hours must end at another time than they begin."),
    "only_volunteers": ("只有志愿者填写 hours，请删除此字段。", "Only volunteers have hours: remove this field."),
    "household_phone": (
        "须填写电话；只有需协助撤离的业主或租户可以没有电话。",
        "Give a telephone number: only an owner or tenant who needs help leaving may have none.",
    ),
    "no_phone": ("未登记电话，无法验证。", "There is no number to verify: register one first."),
    "consent_over": ("同意已到期，请先续期。", "Consent is not in force: renew it first."),
    "consent_future": ("同意时间不能在将来。", "Consent cannot lie in the future."),
    "consent_period": ("同意的截止时间须晚于同意时间。", "Consent must end after it was given."),
    "media_type": (
        "须为 image/png、image/jpeg 或 image/webp，并与内容一致。",
        "Must be image/png, image/jpeg or image/webp, and what the picture is.",
    ),
    "not_an_image": ("不是完整的 PNG、JPEG 或 WebP 图片。", "Not a whole PNG, JPEG or WebP picture."),
    "image_size": (
        "图片最长边不超过 {side} 像素、总计不超过 {pixels} 像素；请缩小。",
        "A picture may have {side} pixels a side and {pixels} in all: make it smaller.",
    ),
}
