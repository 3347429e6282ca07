"""Which benchmark is run how long, and the whole of a run's result. Never judges a figure."""

import os
import platform
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmarks import broker, core, failover, ingest, latency, lateness, memory, providers, registry, storm
from benchmarks.databases import POSTGRESQL, SQLITE
from benchmarks.world import World
from gengfu.broker.child import mosquitto_executable
from gengfu.clock import SystemClock
from simulators.mission_city import devices_max

PARTS = ("latency", "storm", "ingest", "memory", "registry", "broker", "core", "lateness", "providers", "failover")
escalation_seconds = 30.0
"""The second step of a fire's policy; a run ends before it."""
margin_seconds = 4.0


@dataclass(frozen=True, slots=True)
class Plan:
    """How much of everything."""

    parts: tuple[str, ...] = PARTS
    kinds: tuple[str, ...] = (SQLITE,)
    rounds: int = 3
    warmup_s: float = 4.0
    seconds: float = 12.0
    alarms_per_s: int = 100
    telemetry_per_s: int = 3_000
    storm_alarms: int = 10_000
    ingest_seconds: float = 5.0
    memory_devices: int = 100_000
    memory_buildings: int = 5_000
    registry_devices: int = devices_max
    broker_devices: int = 100_000
    core_seconds: float = 2.0
    open_incidents: int = 10_000
    dues_per_s: int = 50
    lateness_seconds: float = 40.0
    provider_seconds: float = 5.0
    failover_fires: int = 120
    """Of each fault."""

    def steps(self) -> int:
        """How often the progress bar moves."""
        counts = {
            "latency": self.rounds * (len(self.kinds) + 1),
            "storm": 1 + 3 * len(self.kinds),
            "ingest": self.rounds * (len(self.kinds) + 1),
            "memory": 2,
            "registry": registry.steps(self.kinds),
            "broker": 1,
            "core": self.rounds,
            "lateness": 2 * self.rounds,
            "providers": providers.steps(self.rounds),
            "failover": failover.steps(),
        }
        return sum(counts[part] for part in self.parts)


def quick(parts: tuple[str, ...]) -> Plan:
    """Everything small: whether it works, not how fast it is."""
    return Plan(
        parts=parts,
        rounds=1,
        warmup_s=1.0,
        seconds=4.0,
        storm_alarms=1_000,
        ingest_seconds=2.0,
        memory_devices=10_000,
        memory_buildings=1_000,
        registry_devices=20_000,
        broker_devices=10_000,
        core_seconds=0.5,
        lateness_seconds=6.0,
        provider_seconds=1.5,
        failover_fires=20,
    )


def seconds_max(plan: Plan) -> float:
    """How long one latency round may measure."""
    return escalation_seconds - margin_seconds - plan.warmup_s


async def run(plan: Plan, told: Callable[[str], None]) -> dict[str, Any]:
    """The result as it is saved."""
    result: dict[str, Any] = {
        "at": SystemClock().now().isoformat(timespec="seconds"),
        "machine": machine(),
        "plan": {name: getattr(plan, name) for name in Plan.__slots__},
    }
    kinds = list(plan.kinds)
    if set(plan.parts) - {"memory", "registry", "broker", "core", "lateness", "providers", "failover"}:
        size = max(plan.storm_alarms, round(plan.alarms_per_s * (plan.warmup_s + plan.seconds)))
        async with World(size, size, size) as world:
            if "latency" in plan.parts:
                load = latency.Load(plan.alarms_per_s, plan.telemetry_per_s, plan.warmup_s, plan.seconds)
                result["latency"] = await latency.run(world, load, kinds, plan.rounds, told)
            if "storm" in plan.parts:
                result["storm"] = await storm.run(world, kinds, plan.storm_alarms, told)
            if "ingest" in plan.parts:
                result["ingest"] = await ingest.run(world, kinds, plan.rounds, plan.ingest_seconds, told)
    if "memory" in plan.parts:
        async with World(plan.memory_devices, plan.memory_buildings, 1) as world:
            result["memory"] = [await memory.run(world, SQLITE, told)]
    if "registry" in plan.parts:
        result["registry"] = await registry.run(kinds, plan.registry_devices, told)
    if "broker" in plan.parts:
        result["broker"] = await broker.run(plan.broker_devices, told)
    if "core" in plan.parts:
        result["core"] = core.run(plan.rounds, plan.core_seconds, told)
    if "lateness" in plan.parts:
        result["lateness"] = await lateness.run(
            plan.open_incidents, plan.dues_per_s, plan.lateness_seconds, plan.rounds, told
        )
    if "providers" in plan.parts:
        result["providers"] = await providers.run(plan.rounds, plan.provider_seconds, told)
    if "failover" in plan.parts:
        result["failover"] = await failover.run(plan.failover_fires, told)
    return result


def machine() -> dict[str, str]:
    """What the figures were measured on."""
    return {
        "cores": str(os.cpu_count()),
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "processor": _processor(),
        "python": platform.python_version(),
        "mosquitto": _mosquitto(),
        "load": f"{os.getloadavg()[0]:.1f}",
    }


def _processor() -> str:
    with open("/proc/cpuinfo", encoding="utf-8") as lines:
        for line in lines:
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.machine()


def _mosquitto() -> str:
    program = mosquitto_executable()
    if program is None:
        return "none"
    told = subprocess.run([program, "-h"], capture_output=True, text=True, check=False)
    return told.stdout.split("\n", 1)[0].removeprefix("mosquitto version ").strip()


__all__ = ["PARTS", "POSTGRESQL", "SQLITE", "Plan", "machine", "quick", "run", "seconds_max"]
