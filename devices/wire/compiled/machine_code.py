"""A file of machine code: what is in it, what it is called, and how it becomes the scan of a process.

Loading needs llvmlite alone, none of numba, and takes some milliseconds. Pure, but for the file it is given.
"""

from __future__ import annotations

import ctypes
import hashlib
import platform
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from devices.wire.compiled import constants
from devices.wire.compiled.scan import Scan

ENTRY: Final = "nabd_scan"
ARRAYS: Final = 22
"""Arguments of the kernel's scan."""
_BEFORE: Final = 3  # numba's places for a result and an error, both unused, and the sizes of the arrays
_DIGEST: Final = 32


class Unusable(Exception):
    """There is no compiled scan; the text says why."""


def compiler() -> str | None:
    """Return which numba would compile, None without one."""
    try:
        return f"numba {metadata.version('numba')}, llvmlite {metadata.version('llvmlite')}"
    except metadata.PackageNotFoundError:
        return None


def file_name() -> str:
    """Return what the file of this version, this compiler and this architecture is called.

    Raises:
        Unusable: numba is not installed.
    """
    by = compiler()
    if by is None:
        raise Unusable("numba is not installed: the extra nabd[fast]")
    agreed = {name: value for name, value in vars(constants).items() if name.isupper()}
    made_of = hashlib.sha256(f"{by} {platform.machine()} {platform.system()} {agreed}".encode())
    for module in ("lexemes", "kernel", "build"):
        spec = find_spec(f"devices.wire.compiled.{module}")
        assert spec is not None
        assert spec.origin is not None
        made_of.update(Path(spec.origin).read_bytes())
    return f"decoder-{made_of.hexdigest()[:16]}"


def sealed(code: bytes) -> bytes:
    """Return machine code as it is kept in a file."""
    return hashlib.sha256(code).digest() + code


def code_in(file: Path) -> bytes:
    """Return the machine code that a file keeps.

    Raises:
        Unusable: it cannot be read, or is not whole.
        FileNotFoundError: there is none.
    """
    try:
        kept = file.read_bytes()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise Unusable(f"{file}: {error.strerror}") from error
    code = kept[_DIGEST:]
    if hashlib.sha256(code).digest() != kept[:_DIGEST]:
        raise Unusable(f"{file} is not whole")
    return code


def linked(code: bytes) -> Scan:
    """Return the scan that machine code is.

    Raises:
        Unusable: llvmlite is not installed, or does not take it.
    """
    try:
        from llvmlite import binding
    except (ImportError, OSError) as error:
        raise Unusable(f"llvmlite cannot be loaded: {error}") from error
    try:
        engine = binding.create_mcjit_compiler(binding.parse_assembly(""), target_machine())
        engine.add_object_file(binding.ObjectFileRef.from_data(code))
        engine.finalize_object()
        address = engine.get_function_address(ENTRY)
    except RuntimeError as error:
        raise Unusable(f"the machine code cannot be linked: {error}") from error
    if not address:
        raise Unusable(f"the machine code has no {ENTRY}")
    return _MachineCode(engine, address)


class _MachineCode:
    """The scan at an address, which lives as long as its engine."""

    def __init__(self, engine: Any, address: int) -> None:
        self._engine = engine
        # Other threads wait meanwhile, some milliseconds at most. To let them run, and to wait for up to a
        # switch interval to go on, takes a third longer beside a busy one.
        pointers = [ctypes.c_void_p] * (_BEFORE + ARRAYS)
        self._function = ctypes.PYFUNCTYPE(ctypes.c_int32, *pointers)(address)
        self._unused = ctypes.create_string_buffer(16)

    def __call__(self, *arrays: NDArray[Any]) -> None:
        assert len(arrays) == ARRAYS
        assert all(array.flags.c_contiguous for array in arrays)
        sizes = np.array([size for array in arrays for size in array.shape], dtype=np.int64)
        unused = ctypes.addressof(self._unused)
        self._function(unused, unused, *(array.ctypes.data for array in (sizes, *arrays)))


def target_machine() -> Any:
    """Return what both ends of the file are for: this architecture, no processor in particular."""
    from llvmlite import binding

    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    return binding.Target.from_default_triple().create_target_machine(opt=3, codemodel="jitdefault")
