"""Licences that open data may have, by their SPDX names. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Licence:
    """One licence: what it is called, and where it can be read."""

    title: str
    url: str


LICENCES: Mapping[str, Licence] = {
    "CC0-1.0": Licence(title="CC0 1.0", url="https://creativecommons.org/publicdomain/zero/1.0/"),
    "CC-BY-4.0": Licence(title="CC BY 4.0", url="https://creativecommons.org/licenses/by/4.0/"),
    "ODbL-1.0": Licence(title="ODbL 1.0", url="https://opendatacommons.org/licenses/odbl/1-0/"),
    "etalab-2.0": Licence(
        title="Licence Ouverte 2.0",
        url="https://www.etalab.gouv.fr/wp-content/uploads/2017/04/ETALAB-Licence-Ouverte-v2.0.pdf",
    ),
}
