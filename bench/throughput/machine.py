"""What a figure was measured on; without it a figure says nothing."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

import psutil

from bench import CHECKOUT
from nabd.embedded.broker import find_mosquitto


def describe(postgres: str) -> dict[str, str]:
    """Return CPU, cores, memory, kernel and the versions of what takes part."""
    return {
        "cpu": _cpu_model(),
        "cores": str(len(os.sched_getaffinity(0))),
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "kernel": platform.release(),
        "python": platform.python_version(),
        "postgres": postgres,
        "mosquitto": _mosquitto(),
        **{name: version(name) for name in ("asyncpg", "mqtt5", "msgspec", "numpy", "uvloop", "aiomqtt")},
        "load_before": f"{os.getloadavg()[0]:.1f}",
    }


def commit() -> str:
    """Return the short hash of the checkout's commit, a + behind it where files differ; or "unknown"."""
    command = ["git", "-C", str(CHECKOUT), "describe", "--always", "--dirty=+", "--exclude", "*"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip()  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return "unknown"


def _cpu_model() -> str:
    # Neither psutil nor `platform` tells the model on Linux.
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown"
    )


def _mosquitto() -> str:
    program = find_mosquitto()
    if program is None:
        return "absent"
    said = subprocess.run([program, "-h"], capture_output=True, text=True, check=False).stdout  # noqa: S603
    return said.splitlines()[0].removeprefix("mosquitto version ").strip() if said else "unknown"
