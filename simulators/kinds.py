"""What each kind of virtual device can say: its alarm codes and its telemetry. Plain data, no behaviour."""

from dataclasses import dataclass, field

from devices.signals import Scalar


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of device. The first code is the one it usually raises."""

    zh: str
    en: str
    codes: tuple[str, ...]
    alarm_values: dict[str, Scalar] = field(default_factory=dict)
    telemetry: dict[str, Scalar] = field(default_factory=dict)


KINDS: dict[str, Kind] = {
    "smoke_detector": Kind(
        "烟感",
        "smoke detector",
        ("fire.smoke",),
        {"smoke_db_per_m": 0.42},
        {"smoke_db_per_m": 0.01, "temperature_c": 22.5},
    ),
    "heat_detector": Kind("温感", "heat detector", ("fire.heat",), {"temperature_c": 62.0}, {"temperature_c": 24.0}),
    "gas_detector": Kind(
        "燃气探测器", "gas detector", ("gas.combustible",), {"gas_percent_lel": 12.0}, {"gas_percent_lel": 0.0}
    ),
    "camera": Kind(
        "摄像机", "camera", ("ebike.in_elevator", "lane.blocked", "fire.flame"), {"confidence": 0.93}, {"fps": 25}
    ),
    "charging_station": Kind(
        "充电桩",
        "charging station",
        ("charge.overheat", "charge.overcurrent", "charge.full_not_unplugged"),
        {"temperature_c": 78.5, "current_a": 4.6, "charging": True},
        {"temperature_c": 31.0, "current_a": 4.2, "charging": True},
    ),
    "water_leak_sensor": Kind("水浸探测器", "water leak sensor", ("water.leak",), {"wet": True}, {"wet": False}),
}
