"""CPU and memory of processes. Must not know what the processes do."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import psutil


def cpu_s(pids: Iterable[int]) -> float:
    """Return the CPU seconds that processes have used, children that have ended included; 0 when gone."""
    return sum(_cpu_s(pid) for pid in pids)


def _cpu_s(pid: int) -> float:
    try:
        used = psutil.Process(pid).cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return used.user + used.system + used.children_user + used.children_system


def family(pid: int) -> list[int]:
    """Return a process and all that descend from it."""
    try:
        return [pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))]
    except psutil.NoSuchProcess:
        return [pid]


def memory_mb(pid: int) -> float:
    """Return the memory that a process has resident, in MB; 0 when it is gone."""
    return _memory_mb(pid, "VmRSS")


def peak_memory_mb(pid: int) -> float:
    """Return the most memory that a process has ever had resident, in MB; 0 when it is gone."""
    # psutil 7 tells the present size only; the kernel keeps the peak.
    return _memory_mb(pid, "VmHWM")


def _memory_mb(pid: int, name: str) -> float:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    lines = dict(line.split(":", 1) for line in status.splitlines())
    return int(lines.get(name, "0 kB").split()[0]) / 1024


def cpu_of_children_s() -> float:
    """Return the CPU seconds of our own children that have ended."""
    used = psutil.Process().cpu_times()
    return used.children_user + used.children_system
