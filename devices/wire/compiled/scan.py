"""Where compiled functions are put once there are some."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from devices.compiled.part import Function


@dataclass(slots=True)
class Kernel:
    """One for all decoders and sessions of a process. It may be set at any time; what comes next finds it.

    scan, frame: of devices.wire.compiled.kernel. few: payloads of which less are decoded sooner without it.
    """

    scan: Function | None = None
    few: int = 32
    frame: Function | None = None

    def take(self, functions: Mapping[str, Function]) -> None:
        """Work with compiled functions from now on."""
        self.scan, self.frame = functions["scan"], functions["frame"]
