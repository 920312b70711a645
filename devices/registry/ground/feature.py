"""A district or a street as a layer has it. Pure: must not know files or the database."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

AUTO = "auto"
"""In place of a district's code: the one in which the device stands."""

CODE = re.compile(r"[A-Za-z0-9_.:-]{1,64}")


class Layer(StrEnum):
    """The layers of a municipality."""

    DISTRICTS = "districts"
    STREETS = "streets"

    @property
    def one(self) -> str:
        """What a feature of it is called."""
        return "district" if self is Layer.DISTRICTS else "street"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFeature:
    """A feature to store: `name` is its code, `title` its names by language, `geometry` GeoJSON in degrees.

    position: which one of its file it is, from 0.
    """

    name: str
    title: Mapping[str, str]
    geometry: Mapping[str, Any]
    position: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """A stored feature, see NewFeature; `devices` is how many of those in service stand there."""

    id: int
    name: str
    title: Mapping[str, str]
    geometry: Mapping[str, Any]
    updated_at: datetime
    devices: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureProblem:
    """Why a file's feature, or the file as a whole, is not accepted.

    pointer: JSON pointer into the file, empty for the whole; feature: which one, as people find it.
    """

    pointer: str
    feature: str
    message: str


def set_by_hand(district: str | None) -> str | None:
    """Return the code of a district that somebody set, None where the position is to decide."""
    return None if district is None or district.lower() in ("", AUTO) else district


def is_code(text: str) -> bool:
    """Tell whether a text can be a feature's code."""
    return CODE.fullmatch(text) is not None and text.lower() != AUTO
