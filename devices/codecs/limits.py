"""How much one message may cost. Pure; both sides of the pipe know it."""

from __future__ import annotations

import msgspec


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What a codec may use for one message; beyond it the message fails, nothing else.

    cpu_ms: processor time. The Things Stack and ChirpStack allow 100 ms for the same codecs.
    memory_bytes: of the engine's heap. stack_bytes: of its stack.
    output_bytes: characters of JSON that come back.
    answer_s: wall-clock seconds after which a process that uses no processor time is given up.
    """

    cpu_ms: int = 100
    memory_bytes: int = 16 * 1024 * 1024
    stack_bytes: int = 256 * 1024
    output_bytes: int = 65_536
    answer_s: float = 10.0

    @property
    def killed_after_s(self) -> float:
        """Return after how much processor time the kernel ends the process.

        Later than `cpu_ms`: the engine looks at its clock between instructions, not in built-in functions.
        """
        return self.cpu_ms / 1000 * 3
