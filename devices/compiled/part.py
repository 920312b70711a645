"""What is compiled into one file: some functions over arrays, and how they are tried. Pure data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Function = Callable[..., None]
"""Takes arrays that are contiguous, of the types its part declares, and fills those that it writes."""
Functions = dict[str, Function]
"""Functions by name; one dict for all of a process that use them, empty until there are some."""
Arrays = tuple[str, ...]
"""The types of a function's arrays; "float64:2" is one of two dimensions."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CompiledPart:
    """A package with a module `kernel`, which has the functions, and a module `trial`.

    name: what its file begins with. modules: which of the package are compiled in, beside `kernel`. agreed:
    the constants that they import. `trial.agrees` tells whether functions say what is said without them.
    """

    name: str
    package: str
    modules: tuple[str, ...]
    agreed: Mapping[str, Any]
    functions: Mapping[str, Arrays]


def constants(module: Any) -> dict[str, Any]:
    """Return the constants of a module by name."""
    return {name: value for name, value in vars(module).items() if name.isupper()}
