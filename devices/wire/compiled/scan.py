"""Where the compiled scan is put once there is one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

Scan = Callable[..., None]
"""Takes the arrays of devices.wire.compiled.kernel.scan, in its order, and fills those that it writes."""


@dataclass(slots=True)
class Kernel:
    """One for all decoders of a process. `scan` may be set at any time; the next batch finds it.

    few: payloads of which less are decoded sooner without it.
    """

    scan: Scan | None = None
    few: int = 32

    def take(self, functions: Mapping[str, Scan]) -> None:
        """Decode with the scan among compiled functions from now on."""
        self.scan = functions["scan"]
