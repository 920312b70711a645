"""A file of machine code: what is in it, what it is called, and how it becomes the functions of a process.

Loading needs llvmlite alone, none of numba, and takes some milliseconds. Pure, but for the file it is given.
"""

from __future__ import annotations

import ctypes
import hashlib
import platform
import sysconfig
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from devices.compiled.part import Arrays, CompiledPart, Function

DATA: Final = 2
SHAPE: Final = 4
"""Which word of an array's object, by numpy's ABI, points to its data and to its shape."""
_BEFORE: Final = 2  # numba's places for a result and an error, both unused
_DIGEST: Final = 32


class Unusable(Exception):
    """There is no compiled code; the text says why."""


def compiler() -> str | None:
    """Return which numba would compile, None without one."""
    try:
        return f"numba {metadata.version('numba')}, llvmlite {metadata.version('llvmlite')}"
    except metadata.PackageNotFoundError:
        return None


def entry(name: str) -> str:
    """Return what a function is called in a file."""
    return f"nabd_{name}"


def file_name(part: CompiledPart) -> str:
    """Return what the file of this version, this compiler, this architecture and this Python is called.

    Python's, since the layout of its objects is compiled in; this module's too, which calls what is in it.

    Raises:
        Unusable: numba is not installed.
    """
    by = compiler()
    if by is None:
        raise Unusable("numba is not installed: the extra nabd[fast]")
    where = f"numpy {np.__version__} {platform.machine()} {platform.system()}"
    where += f" {sysconfig.get_config_var('SOABI')}"
    made_of = hashlib.sha256(f"{by} {where} {part.agreed} {part.functions}".encode())
    both_ends = ("devices.compiled.build", "devices.compiled.machine_code")
    for module in (*(f"{part.package}.{m}" for m in (*part.modules, "kernel")), *both_ends):
        spec = find_spec(module)
        assert spec is not None
        assert spec.origin is not None
        made_of.update(Path(spec.origin).read_bytes())
    return f"{part.name}-{made_of.hexdigest()[:16]}"


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


def linked(part: CompiledPart, code: bytes) -> dict[str, Function]:
    """Return the functions of a part that machine code has.

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
        addresses = {name: engine.get_function_address(entry(name)) for name in part.functions}
    except RuntimeError as error:
        raise Unusable(f"the machine code cannot be linked: {error}") from error
    if missing := [name for name, address in addresses.items() if not address]:
        raise Unusable(f"the machine code has no {', '.join(missing)}")
    return {name: _MachineCode(engine, at, part.functions[name]) for name, at in addresses.items()}


class _MachineCode:
    """The function at an address, which lives as long as its engine."""

    def __init__(self, engine: Any, address: int, arrays: Arrays) -> None:
        self._engine = engine
        self._types = [np.dtype(array.partition(":")[0]) for array in arrays]
        self._dimensions = [int(array.partition(":")[2] or 1) for array in arrays]
        # Other threads wait meanwhile, some milliseconds at most. To let them run, and to wait for up to a
        # switch interval to go on, takes a third longer beside a busy one.
        # Arrays are given as objects: to ask numpy for their addresses takes longer than most functions do.
        given = [ctypes.c_void_p] * _BEFORE + [ctypes.py_object] * len(arrays)
        self._function = ctypes.PYFUNCTYPE(ctypes.c_int32, *given)(address)
        self._room = ctypes.create_string_buffer(16)
        self._unused = ctypes.addressof(self._room)

    def __call__(self, *arrays: NDArray[Any]) -> None:
        # It would read and write beyond others; asking costs a microsecond or two.
        assert [array.dtype for array in arrays] == self._types
        assert [array.ndim for array in arrays] == self._dimensions
        assert all(array.flags.c_contiguous for array in arrays)
        self._function(self._unused, self._unused, *arrays)


def target_machine() -> Any:
    """Return what both ends of the file are for: this architecture, no processor in particular."""
    from llvmlite import binding

    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    return binding.Target.from_default_triple().create_target_machine(opt=3, codemodel="jitdefault")
