"""The compiled decoder for tests: what `make setup` built, or else one that is built in five seconds."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from devices.wire import Kernel
from devices.wire.compiled import machine_code
from nabd.settings import BUILT

BEFORE = Path(tempfile.gettempdir()) / f"nabd-compiled-{os.getuid()}"


@cache
def compiled_file() -> Path:
    """Return the file of this version, compiling it if need be."""
    name = machine_code.file_name()
    BEFORE.mkdir(mode=0o700, exist_ok=True)
    assert BEFORE.stat().st_uid == os.getuid()  # nobody else's code is run
    for place in (BUILT, BEFORE):
        if (place / name).exists():
            return place / name
    subprocess.run([sys.executable, "-m", "devices.wire.compiled.build", str(BEFORE)], check=True)
    return BEFORE / name


def compiled() -> Kernel:
    """Return a kernel that decodes every batch, even of one message."""
    return Kernel(machine_code.linked(machine_code.code_in(compiled_file())), few=0)


def both_paths(kernel: Kernel) -> Any:
    """Return a fixture for all tests of a module: they decode exactly, and again with compiled code."""

    @pytest.fixture(params=("exact", "compiled"), scope="module", autouse=True)
    def path(request: pytest.FixtureRequest) -> Iterator[None]:
        if request.param == "compiled":
            kernel.scan, kernel.few = compiled().scan, 0
        yield
        kernel.scan = None

    return path
