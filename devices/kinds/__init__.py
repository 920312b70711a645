"""The kinds Nabd knows: one file here declares one kind; a directory of TOML files may add more.

`load` is the only way to get them. Nothing outside this package may mention a kind by name.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from pathlib import Path

from devices.kinds import toml
from devices.kinds.kind import Kind, KindError

Kinds = Mapping[str, Kind]

_NOT_KINDS = {"commands", "kind", "toml"}

STRUCTURAL = ("gateway", "circuit", "cabinet")
"""Device kinds that group others and send no readings of their own, so they have no table."""
STRUCTURAL_MODELS = {"cabinet": "StreetlightControlCabinet"}
"""Entity types of the Smart Data Models by structural kind, where there is one (dataModel.Streetlighting)."""


def load(directory: Path | None = None) -> dict[str, Kind]:
    """Return every declared kind by name, those of `directory`/*.toml included.

    Raises:
        KindError: a TOML file is not a valid declaration, a name is declared twice, or there is no
            such directory.
    """
    modules = sorted(m.name for m in pkgutil.iter_modules(__path__) if m.name not in _NOT_KINDS)
    kinds: dict[str, Kind] = {}
    for module in modules:
        kind: Kind = importlib.import_module(f"{__name__}.{module}").KIND
        kinds[kind.name] = kind
    if directory and not directory.is_dir():
        raise KindError(f"{directory} is no directory: correct NABD_KINDS_DIR")
    for path in sorted(directory.glob("*.toml")) if directory else []:
        kind = toml.read(path)
        if kind.name in kinds or kind.name in STRUCTURAL:
            raise KindError(f"{path}: kind {kind.name!r} is declared already")
        kinds[kind.name] = kind
    return kinds
