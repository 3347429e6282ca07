"""What processes have used, read from /proc: CPU seconds and memory. Linux only; never signals anything."""

import os
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_KIB = 1024


def seconds_of(pid: int) -> float:
    """CPU seconds of one process, all its threads; 0 for one that has ended."""
    fields = _stat(pid)
    return (int(fields[11]) + int(fields[12])) / _TICKS if fields else 0.0


def seconds_of_family(pid: int) -> float:
    """The same for a process, its children that live, and those it has waited for (PostgreSQL's backends)."""
    fields = _stat(pid)
    if not fields:
        return 0.0
    waited_for = (int(fields[13]) + int(fields[14])) / _TICKS
    return seconds_of(pid) + waited_for + sum(seconds_of(child) for child in _children(pid))


def seconds_of_machine() -> float:
    """CPU seconds that all processes of this machine have used since it started, without waiting for disks."""
    user, nice, system, _idle, _iowait, irq, softirq = Path("/proc/stat").read_text().split()[1:8]
    return sum(int(ticks) for ticks in (user, nice, system, irq, softirq)) / _TICKS


def memory_bytes(pid: int, row: str = "VmRSS") -> int:
    """`VmRSS`: resident now; `VmHWM`: the most so far."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{row}:"):
            return int(line.split()[1]) * _KIB
    raise ValueError(f"process {pid} shows no {row}")


def _stat(pid: int) -> list[str]:
    """Fields from the third (state) on; the second may hold spaces."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def _children(pid: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += [int(word) for word in task.read_text().split()]
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found
