"""Hazard and event codes: label, class and default severity. The one table that says what a code means.

Source: the product's taxonomy; signal classes after NFPA 72 (alarm, supervisory, trouble).
"""

from dataclasses import dataclass
from enum import StrEnum


class SignalClass(StrEnum):
    A = "A"
    """Alarm: phone, SMS and app now."""
    S = "S"
    """Supervisory: app and SMS, to be acknowledged."""
    T = "T"
    """Trouble: a work order, by day."""
    I = "I"  # noqa: E741 - the taxonomy's own letter
    """Information."""


@dataclass(frozen=True, slots=True)
class Hazard:
    code: str
    zh: str
    """Words on a phone, Chinese."""
    en: str
    """Words on a phone, English, GSM-7 only and short."""
    cls: SignalClass
    severity: int
    """1 (worst) to 5."""

    @property
    def family(self) -> str:
        return self.code.split(".", 1)[0]

    @property
    def life_safety(self) -> bool:
        """Class A, severity 1: exempt from throttles, quiet hours and mutes."""
        return self.cls is SignalClass.A and self.severity == 1


def _rows(cls: SignalClass, *rows: tuple[str, str, str, int]) -> dict[str, Hazard]:
    return {code: Hazard(code, zh, en, cls, severity) for code, zh, en, severity in rows}


TAXONOMY: dict[str, Hazard] = {
    **_rows(
        SignalClass.A,
        ("fire.smoke", "烟雾报警", "smoke", 1),
        ("fire.heat", "温度火警", "heat", 1),
        ("fire.flame", "明火识别", "flame on camera", 1),
        ("fire.manual", "手动火警按钮", "manual call point", 1),
        ("fire.panel", "火警主机报警", "fire panel", 1),
        ("gas.combustible", "燃气泄漏", "gas leak", 1),
        ("gas.co", "一氧化碳", "carbon monoxide", 1),
        ("charge.smoke", "充电区烟雾", "smoke at charging", 1),
        ("charge.overheat", "充电过温", "charging overheat", 1),
        ("charge.overcurrent", "充电过流", "charging overcurrent", 2),
        ("charge.short", "充电短路", "charging short circuit", 1),
        ("charge.leakage", "充电漏电", "charging leakage", 1),
        ("charge.arc", "故障电弧", "electric arc", 2),
        ("electric.overheat", "电气线路过温", "wiring overheat", 1),
        ("electric.leakage", "电气线路漏电", "wiring leakage", 2),
        ("electric.overcurrent", "电气线路过流", "wiring overcurrent", 2),
        ("env.overheat", "环境高温", "high temperature", 2),
        ("ebike.in_elevator", "电动车进电梯", "e-bike in lift", 2),
        ("ebike.indoor", "电动车进楼", "e-bike indoors", 2),
        ("object.thrown", "高空抛物", "object thrown", 2),
        ("intrusion.perimeter", "周界入侵", "perimeter intrusion", 2),
        ("intrusion.door_forced", "门禁强开", "door forced", 2),
        ("person.fall", "人员摔倒", "person fell", 2),
        ("person.sos", "一键求助", "call for help", 1),
        ("water.leak", "漏水", "water leak", 3),
        ("elevator.trapped", "电梯困人", "trapped in lift", 1),
    ),
    **_rows(
        SignalClass.S,
        ("charge.overvoltage", "充电过压", "charging overvoltage", 3),
        ("charge.undervoltage", "充电欠压", "charging undervoltage", 3),
        ("charge.full_not_unplugged", "充满未拔", "charged, still plugged", 4),
        ("charge.timeout", "充电超时", "charging too long", 3),
        ("charge.illegal_load", "异常负载", "wrong load", 3),
        ("charge.wire", "飞线充电", "loose charging wire", 3),
        ("passage.blocked", "楼道堵塞", "passage blocked", 3),
        ("lane.blocked", "消防通道占用", "fire lane blocked", 2),
        ("exit.blocked", "安全出口堵塞", "exit blocked", 2),
        ("intrusion.loitering", "徘徊", "loitering", 3),
        ("crowd.gathering", "人员聚集", "crowd", 3),
        ("water.pressure_low", "消防水压低", "low fire water", 2),
        ("detector.muted", "探测器已消音", "detector muted", 3),
        ("detector.isolated", "探测器已屏蔽", "detector isolated", 3),
        ("system.supervisory", "监管信号", "supervisory", 2),
    ),
    **_rows(
        SignalClass.T,
        ("power.loss", "断电", "power loss", 3),
        ("device.tamper", "设备被拆动", "tamper", 2),
        ("device.low_battery", "电量低", "low battery", 3),
        ("device.fault", "设备故障", "device fault", 2),
        ("device.flapping", "反复报警", "keeps coming and going", 3),
        ("device.end_of_life", "寿命到期", "end of life", 3),
        ("device.offline", "设备离线", "device offline", 3),
        ("gateway.offline", "网关离线", "radio gateway offline", 2),
        ("comm.fault", "通信故障", "communication fault", 3),
        ("camera.tamper", "镜头遮挡", "camera covered", 3),
        ("camera.video_loss", "视频丢失", "video loss", 3),
        ("storage.fault", "存储故障", "storage fault", 3),
        ("notify.path_fault", "通知通道故障", "notification path fault", 1),
    ),
    **_rows(
        SignalClass.I,
        ("device.test", "测试报警", "test", 5),
        ("device.restore", "恢复正常", "restored", 5),
        ("device.heartbeat", "心跳", "heartbeat", 5),
    ),
}

UNKNOWN_FIRE = "fire.smoke"
"""The code given to a message that claims fire but could not be read or placed."""
