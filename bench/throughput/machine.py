"""What a figure was measured on; without it a figure says nothing."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

from nabd.embedded.broker import find_mosquitto


def describe(postgres: str) -> dict[str, str]:
    """Return CPU, cores, memory, kernel and the versions of what takes part."""
    return {
        "cpu": _first("/proc/cpuinfo", "model name"),
        "cores": str(len(os.sched_getaffinity(0))),
        "memory": f"{int(_first('/proc/meminfo', 'MemTotal').split()[0]) / 2**20:.0f} GiB",
        "kernel": platform.release(),
        "python": platform.python_version(),
        "postgres": postgres,
        "mosquitto": _mosquitto(),
        **{name: version(name) for name in ("asyncpg", "mqtt5", "msgspec", "numpy", "uvloop", "aiomqtt")},
        "load_before": f"{os.getloadavg()[0]:.1f}",
    }


def _first(file: str, key: str) -> str:
    for line in Path(file).read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == key:
            return value.strip()
    return "0"


def _mosquitto() -> str:
    program = find_mosquitto()
    if program is None:
        return "absent"
    said = subprocess.run([program, "-h"], capture_output=True, text=True, check=False).stdout  # noqa: S603
    return said.splitlines()[0].removeprefix("mosquitto version ").strip() if said else "unknown"
