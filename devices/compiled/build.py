"""Compiles parts into files of machine code: `python -m devices.compiled.build DIRECTORY PACKAGE...`.

Each package has a module `part` with a PART. A process of its own: numba holds the interpreter for as long as
it compiles, and has memory that ingest need not have. For any processor of the architecture, so that what was
built into an image runs on every machine. The code is whole: it calls nothing of numba's nor of Python's.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from importlib import import_module
from pathlib import Path
from typing import Any, Final

os.environ["NUMBA_CPU_NAME"] = "generic"
os.environ["NUMBA_CPU_FEATURES"] = ""

from llvmlite import binding
from numba import carray, njit, types
from numba.extending import intrinsic

from devices.compiled.machine_code import DATA, SHAPE, entry, file_name, linked, sealed, target_machine
from devices.compiled.part import Arrays, CompiledPart

_NEEDS: Final = frozenset({"memset", "memcpy", "memmove", "rint", "rintf"})
"""Of the C library: all that the code may call."""


def machine_code(part: CompiledPart) -> bytes:
    """Compile; return an object file that has the functions of a part.

    Raises:
        RuntimeError: it would call what a process need not have.
    """
    kernel = import_module(f"{part.package}.kernel")
    modules = [_module(name, getattr(kernel, name), arrays) for name, arrays in part.functions.items()]
    whole = modules[0]
    for module in modules[1:]:
        whole.link_in(module)
    called = {f.name for f in whole.functions if f.is_declaration and not f.name.startswith("llvm.")}
    if called - _NEEDS:
        raise RuntimeError(f"the compiled code calls {sorted(called - _NEEDS)}")
    return bytes(target_machine().emit_object(whole))


def _module(name: str, function: Any, arrays: Arrays) -> Any:
    """Return LLVM's module of a function and what it calls; called by pointers to the objects of arrays."""
    signature = types.void(*[types.CPointer(types.int64)] * len(arrays))
    compiled = njit(signature, no_cpython_wrapper=True, no_cfunc_wrapper=True, error_model="numpy")(
        _entry(njit(error_model="numpy")(function), arrays)
    )
    module = binding.parse_assembly(compiled.inspect_llvm(compiled.signatures[0]))
    for one in module.functions:
        if one.is_declaration:
            continue
        if "nabd_entry" in one.name and one.name.startswith("_Z"):
            one.name, one.linkage = entry(name), "external"
        else:
            one.linkage = "internal"
    builder = binding.create_pass_builder(target_machine(), binding.create_pipeline_tuning_options(3))
    builder.getModulePassManager().run(module, builder)
    return module


def _entry(function: Any, arrays: Arrays) -> Any:
    """Return a function that finds the data and the shape of each array, and calls the given one.

    numba takes no variable number of arguments of different types, so its text is put together.
    """
    names: dict[str, Any] = {"carray": carray, "function": function, "int64": _pointer(types.int64)}
    taken, given = [], []
    for number, array in enumerate(arrays):
        type_, _, dimensions = array.partition(":")
        names[type_] = _pointer(getattr(types, type_))
        shape = ", ".join(f"int64(a{number}[{SHAPE}])[{d}]" for d in range(int(dimensions or 1)))
        taken.append(f"a{number}")
        given.append(f"carray({type_}(a{number}[{DATA}]), ({shape},))")
    text = f"def nabd_entry({', '.join(taken)}):\n    function({', '.join(given)})\n"
    exec(text, names)  # noqa: S102 - nothing of it comes from outside
    return names["nabd_entry"]


def _pointer(type_: Any) -> Any:
    """Return what makes a pointer to a type of an address."""

    @intrinsic  # type: ignore[untyped-decorator]
    def pointer(_: Any, address: Any) -> Any:
        def code(context: Any, builder: Any, signature: Any, given: Any) -> Any:
            return builder.inttoptr(given[0], context.get_value_type(signature.return_type))

        return types.CPointer(type_)(address), code

    return pointer


def write(directory: Path, part: CompiledPart) -> Path:
    """Compile into a directory that is made if need be; return the file.

    Raises:
        OSError: it cannot be written to; nothing was compiled.
        RuntimeError: the code does not say what is said without it.
    """
    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=directory):
        pass
    code = machine_code(part)
    if not import_module(f"{part.package}.trial").agrees(linked(part, code)):
        raise RuntimeError(f"compiled code for {part.name} does not say what is said without it")
    with tempfile.NamedTemporaryFile(dir=directory, prefix=".", delete=False) as making:
        making.write(sealed(code))
        making.flush()
        os.fsync(making.fileno())
    Path(making.name).chmod(0o644)
    return Path(making.name).replace(directory / file_name(part))


if __name__ == "__main__":
    with contextlib.suppress(OSError):
        os.nice(10)  # whatever else runs here goes first
    try:
        for package in sys.argv[2:]:
            print(write(Path(sys.argv[1]), import_module(f"{package}.part").PART))
    except OSError as error:
        sys.exit(f"{error.filename}: {error.strerror}")
