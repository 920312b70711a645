"""Where compiled functions are put once there are some."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

Scan = Callable[..., None]
"""Takes the arrays of devices.wire.compiled.kernel.scan, in its order, and fills those that it writes."""


@dataclass(slots=True)
class Kernel:
    """One for all decoders and sessions of a process. It may be set at any time; what comes next finds it.

    scan, frame: of devices.wire.compiled.kernel. few: payloads of which less are decoded sooner without it.
    """

    scan: Scan | None = None
    few: int = 32
    frame: Scan | None = None

    def take(self, functions: Mapping[str, Scan]) -> None:
        """Work with compiled functions from now on."""
        self.scan, self.frame = functions["scan"], functions["frame"]
