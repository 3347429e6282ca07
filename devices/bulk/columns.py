"""The sheets of bulk files and their columns, each with an English and a Chinese header. Data; reads nothing.

The contract between import, export and the city generator.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from devices.model import COMPOUND_TYPES, Channel, Committee, DeviceState, Language, PersonKind, PlaceKind, Role


class Sheet(StrEnum):
    """What a file, or a sheet of a workbook, is about. Also the file's name in a folder of CSV files."""

    PLACES = "places"
    PEOPLE = "people"
    GRIDS = "grids"
    SHIFTS = "shifts"


@dataclass(frozen=True, slots=True)
class Column:
    """`name` is the English header, `zh` the Chinese one; both are taken, with or without the other in brackets."""

    name: str
    zh: str
    aliases: tuple[str, ...] = ()


LEVELS: tuple[PlaceKind, ...] = tuple(PlaceKind)
"""The columns of the place tree, largest first; each column is named like its kind."""

TITLES: Mapping[Sheet, str] = {
    Sheet.PLACES: "地点",
    Sheet.PEOPLE: "人员",
    Sheet.GRIDS: "网格",
    Sheet.SHIFTS: "值班",
}
"""Names of the sheets of a workbook."""

COLUMNS: Mapping[Sheet, tuple[Column, ...]] = {
    Sheet.PLACES: (
        Column("city", "城市"),
        Column("district", "区县"),
        Column("street", "街道"),
        Column("community", "社区"),
        Column("compound", "小区"),
        Column("building", "楼栋"),
        Column("unit", "单元"),
        Column("floor", "楼层"),
        Column("room", "房间"),
        Column("part", "部位"),
        Column("grid", "网格"),
        Column("device", "设备"),
        Column("model", "型号"),
        Column("name_en", "名称(英)"),
        Column("code", "编码"),
        Column("lat", "纬度"),
        Column("lon", "经度"),
        Column("kind", "设备类型"),
        Column("identity", "标识", ("imei", "deveui", "序列号")),
        Column("state", "设备状态"),
        Column("compound_type", "小区类型"),
        Column("property_company", "物业公司"),
        Column("committee", "自治组织"),
        Column("supervising_unit", "主管单位"),
        Column("partner_unit", "包联单位"),
        Column("gateway", "网关"),
    ),
    Sheet.PEOPLE: (
        Column("code", "人员编码", ("person_code",)),
        Column("name", "姓名"),
        Column("name_en", "姓名(英)"),
        Column("kind", "人员类型"),
        Column("place", "所属"),
        Column("phone", "手机"),
        Column("language", "语言"),
        Column("channels", "通道"),
        Column("left_at", "离岗"),
        Column("hours", "可值守时段"),
        Column("night_calls_consent_at", "夜间来电同意"),
    ),
    Sheet.GRIDS: (
        Column("code", "网格编码", ("grid_code",)),
        Column("name", "网格名称", ("grid_name",)),
        Column("name_en", "名称(英)"),
        Column("community", "社区"),
        Column("workers", "网格员"),
        Column("neighbours", "相邻网格", ("neighbors",)),
        Column("night", "夜间规则"),
    ),
    Sheet.SHIFTS: (
        Column("role", "岗位"),
        Column("person", "人员"),
        Column("grid", "网格"),
        Column("place", "地点"),
        Column("starts_at", "开始"),
        Column("ends_at", "结束"),
        Column("rank", "顺序"),
    ),
}

REQUIRED: Mapping[Sheet, frozenset[str]] = {
    Sheet.PLACES: frozenset(),  # any level or the device
    Sheet.PEOPLE: frozenset({"code", "name"}),
    Sheet.GRIDS: frozenset({"code"}),
    Sheet.SHIFTS: frozenset({"role", "person"}),
}
"""Columns without which the sheet says nothing."""


def headers(sheet: Sheet, language: Language = Language.ZH_CN) -> list[str]:
    """Every header of a sheet in its usual order."""
    return [column.zh if language is Language.ZH_CN else column.name for column in COLUMNS[sheet]]


def names(sheet: Sheet) -> list[str]:
    """The English names of a sheet's columns in their usual order."""
    return [column.name for column in COLUMNS[sheet]]


def _words(pairs: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Every way of writing a value -> the value."""
    return {word.lower(): str(value) for value, words in pairs.items() for word in (value, *words)}


ROLES = _words(
    {
        Role.GRID_WORKER: ("网格员",),
        Role.DEPUTY: ("副网格员", "替补"),
        Role.NEIGHBOUR_GRID: ("相邻网格", "相邻网格员"),
        Role.CHAIR_OR_SECRETARY: ("社区书记", "自管委主任", "书记或主任"),
        Role.COMMUNITY_DUTY: ("社区值班",),
        Role.STREET_DUTY: ("街道值班",),
        Role.CONTROL_ROOM: ("指挥中心", "值班室"),
        Role.PROPERTY_DESK: ("物业值班", "微型消防站"),
        Role.BUILDING_STEWARD: ("楼栋长",),
    }
)
PERSON_KINDS = _words(
    {
        PersonKind.WORKER: ("工作人员", "网格员"),
        PersonKind.DESK: ("值班台",),
        PersonKind.VOLUNTEER: ("志愿者", "楼栋长"),
    }
)
"""Without households: their contacts are recorded per flat, with consent, never in bulk."""
STATES = _words(
    {
        DeviceState.REGISTERED: ("已登记",),
        DeviceState.INSTALLED: ("已安装",),
        DeviceState.COMMISSIONED: ("已验收",),
        DeviceState.OUT_OF_SERVICE: ("停用",),
        DeviceState.REMOVED: ("已拆除",),
    }
)
CHANNELS = _words({Channel.SMS: ("短信",), Channel.VOICE: ("电话", "语音"), Channel.APP: ("应用",)})
LANGUAGES = _words(dict.fromkeys(Language, ())) | _words(
    {Language.ZH_CN: ("zh", "中文"), Language.EN: ("英文", "english")}
)
COMMITTEES = _words(
    {
        Committee.OWNERS: ("业委会", "业主委员会"),
        Committee.SELF_MANAGEMENT: ("自管委", "自管会"),
        Committee.NONE: ("无", "没有"),
    }
)
COMPOUND_KINDS = _words(dict(COMPOUND_TYPES.items()))
