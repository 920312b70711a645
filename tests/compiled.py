"""Compiled code for tests: what `make setup` built, or else what is built in some seconds."""

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

from devices.compiled import machine_code
from devices.compiled.part import CompiledPart, Functions
from devices.wire import Kernel
from devices.wire.compiled.part import PART as DECODER
from nabd.settings import BUILT
from rules.context.compiled.part import PART as RULES

BEFORE = Path(tempfile.gettempdir()) / f"nabd-compiled-{os.getuid()}"


@cache
def compiled_file(part: CompiledPart) -> Path:
    """Return the file of a part in this version, compiling it if need be."""
    name = machine_code.file_name(part)
    BEFORE.mkdir(mode=0o700, exist_ok=True)
    assert BEFORE.stat().st_uid == os.getuid()  # nobody else's code is run
    for place in (BUILT, BEFORE):
        if (place / name).exists():
            return place / name
    subprocess.run([sys.executable, "-m", "devices.compiled.build", str(BEFORE), part.package], check=True)
    return BEFORE / name


def compiled() -> Kernel:
    """Return a kernel that decodes every batch, even of one message."""
    kernel = Kernel(few=0)
    kernel.take(_linked(DECODER))
    return kernel


def compiled_functions() -> Functions:
    """Return what rules evaluate with."""
    return _linked(RULES)


def _linked(part: CompiledPart) -> Functions:
    return machine_code.linked(part, machine_code.code_in(compiled_file(part)))


def both_paths(kernel: Kernel) -> Any:
    """Return a fixture for all tests of a module: they decode exactly, and again with compiled code."""

    @pytest.fixture(params=("exact", "compiled"), scope="module", autouse=True)
    def path(request: pytest.FixtureRequest) -> Iterator[None]:
        if request.param == "compiled":
            kernel.scan, kernel.few = compiled().scan, 0
        yield
        kernel.scan = None

    return path
