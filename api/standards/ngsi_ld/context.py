"""The JSON-LD context of what is told: where each short name leads, and what a full one means here. Pure."""

from __future__ import annotations

from typing import Any

from api.standards.ngsi_ld.values import names_of, type_of
from api.standards.positions import POSITION
from devices.kinds import STRUCTURAL, STRUCTURAL_MODELS, Kinds

CORE = "https://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context-v1.6.jsonld"
CORE_HOME = "https://uri.etsi.org/ngsi-ld/"
MODELS = "https://smartdatamodels.org/"
STREETLIGHTING = "https://smartdatamodels.org/dataModel.Streetlighting/"
OURS = "urn:nabd:term:"
"""The beginning of the IRIs of what the data models have no name for."""
GENERAL = {
    "address": f"{MODELS}address",
    "areaServed": f"{MODELS}areaServed",
    "dateServiceStarted": f"{MODELS}dateServiceStarted",
    "name": f"{MODELS}name",
    "location": f"{CORE_HOME}location",
    "status": f"{CORE_HOME}status",
}
"""What entities of several types have."""
REL = "http://www.w3.org/ns/json-ld#context"
JSON_LD = "application/ld+json"


def terms(kinds: Kinds) -> dict[str, str]:
    """Return the IRI of every type and attribute by its short name."""
    found = {model: STREETLIGHTING + model for model in STRUCTURAL_MODELS.values()}
    for kind in kinds.values():
        home = kind.model_home or OURS
        found[kind.model or kind.name] = home + (kind.model or kind.name)
        found |= {one.name: home + one.name for one in kind.properties if one.name not in found}
    for kind in kinds.values():
        own = {m.name for m in kind.measurements if m.name not in POSITION}
        found |= {name: OURS + name for name in sorted(own) if name not in found}
    return found | GENERAL


def document(kinds: Kinds) -> dict[str, Any]:
    """Return the context as it is served."""
    own = {
        "id": "@id",
        "type": "@type",
        **dict(sorted(terms(kinds).items())),
    }
    return {"@context": own}


def short_name(kinds: Kinds, name: str) -> str:
    """Return the short name that an IRI stands for, and anything else as it is."""
    if ":" not in name:
        return name
    return next((short for short, iri in terms(kinds).items() if iri == name), name)


def kinds_of_type(kinds: Kinds) -> dict[str, list[str]]:
    """Return the kinds of devices behind each entity type."""
    found: dict[str, list[str]] = {}
    for kind in (*kinds, *STRUCTURAL):
        entity_type = type_of(kinds, kind)
        if entity_type is not None:
            found.setdefault(entity_type, []).append(kind)
    return found


def attributes_of_type(kinds: Kinds) -> dict[str, list[str]]:
    """Return the names of attributes of each entity type."""
    return {
        entity_type: sorted({name for kind in behind for name in names_of(kinds, kind)})
        for entity_type, behind in sorted(kinds_of_type(kinds).items())
    }
