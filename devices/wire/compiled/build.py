"""Compiles the kernel into a file of machine code: `python -m devices.wire.compiled.build DIRECTORY`.

A process of its own: numba holds the interpreter for as long as it compiles, and has memory that ingest need
not have. For any processor of the architecture, so that what was built into an image runs on every machine.
The code is whole: it calls nothing of numba's nor of Python's.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

os.environ["NUMBA_CPU_NAME"] = "generic"
os.environ["NUMBA_CPU_FEATURES"] = ""

from llvmlite import binding
from numba import carray, njit, types

from devices.wire.compiled import kernel, trial
from devices.wire.compiled.machine_code import ENTRY, file_name, linked, sealed, target_machine

_BYTES, _HALVES, _WORDS = (types.CPointer(t) for t in (types.uint8, types.int32, types.int64))
_KEYS, _DOUBLES = types.CPointer(types.uint64), types.CPointer(types.float64)
# The sizes of the arrays, one after the other, and the arrays of kernel.scan.
_SIGNATURE: Final = types.void(
    _WORDS, _BYTES, _WORDS, _BYTES, _WORDS, _HALVES, _WORDS, _WORDS, _KEYS, _DOUBLES, _HALVES, _WORDS, _WORDS,
    _WORDS, _BYTES, _WORDS, _HALVES, _HALVES, _WORDS, _WORDS, _HALVES, _HALVES, _BYTES,
)  # fmt: skip
_NEEDS: Final = frozenset({"memset", "memcpy", "memmove", "rint", "rintf"})
"""Of the C library: all that the code may call."""


def machine_code() -> bytes:
    """Compile; return an object file that has one function.

    Raises:
        RuntimeError: it would call what a process need not have.
    """
    scan = njit(error_model="numpy")(kernel.scan)

    def entry(
        s: Any, text: Any, starts: Any, names: Any, name_at: Any, key_table: Any, types_: Any, slots: Any,
        keys: Any, numbers: Any, codes: Any, counters: Any, instant: Any, extra: Any, said: Any, texts: Any,
        text_table: Any, follows: Any, members: Any, used: Any, message: Any, position: Any, flagged: Any,
    ) -> None:  # fmt: skip
        scan(
            carray(text, s[0]), carray(starts, s[1]), carray(names, s[2]), carray(name_at, s[3]),
            carray(key_table, s[4]), carray(types_, s[5]), carray(slots, s[6]), carray(keys, s[7]),
            carray(numbers, (s[8], s[9])), carray(codes, (s[10], s[11])), carray(counters, (s[12], s[13])),
            carray(instant, s[14]), carray(extra, (s[15], s[16])), carray(said, s[17]),
            carray(texts, (s[18], s[19])), carray(text_table, s[20]), carray(follows, s[21]),
            carray(members, (s[22], s[23])), carray(used, s[24]), carray(message, s[25]),
            carray(position, s[26]), carray(flagged, s[27]),
        )  # fmt: skip

    compiled = njit(_SIGNATURE, no_cpython_wrapper=True, no_cfunc_wrapper=True, error_model="numpy")(entry)
    module = binding.parse_assembly(compiled.inspect_llvm(compiled.signatures[0]))
    _strip(module)
    return bytes(target_machine().emit_object(module))


def _strip(module: Any) -> None:
    """Leave the entry, by its name, and what it calls."""
    for function in module.functions:
        if function.is_declaration:
            continue
        if "machine_code" in function.name and "entry" in function.name:
            function.name, function.linkage = ENTRY, "external"
        else:
            function.linkage = "internal"
    builder = binding.create_pass_builder(target_machine(), binding.create_pipeline_tuning_options(3))
    builder.getModulePassManager().run(module, builder)
    called = {f.name for f in module.functions if f.is_declaration and not f.name.startswith("llvm.")}
    if called - _NEEDS:
        raise RuntimeError(f"the compiled scan calls {sorted(called - _NEEDS)}")


def write(directory: Path) -> Path:
    """Compile into a directory that is made if need be; return the file.

    Raises:
        OSError: it cannot be written to; nothing was compiled.
        RuntimeError: the code does not decode as the exact path does.
    """
    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=directory):
        pass
    code = machine_code()
    if not trial.agrees(linked(code)):
        raise RuntimeError("the compiled code does not decode as the exact path does")
    with tempfile.NamedTemporaryFile(dir=directory, prefix=".", delete=False) as making:
        making.write(sealed(code))
        making.flush()
        os.fsync(making.fileno())
    Path(making.name).chmod(0o644)
    return Path(making.name).replace(directory / file_name())


if __name__ == "__main__":
    with contextlib.suppress(OSError):
        os.nice(10)  # whatever else runs here goes first
    try:
        print(write(Path(sys.argv[1])))
    except OSError as error:
        sys.exit(f"{error.filename}: {error.strerror}")
