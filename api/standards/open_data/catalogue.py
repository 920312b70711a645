"""The catalogue of what is published, as DCAT-AP 3 in JSON-LD, for data portals to harvest. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from devices.instants import rfc3339
from devices.kinds.kind import Kind
from devices.publishing.licences import LICENCES
from devices.publishing.published import PublishedTown
from devices.texts.catalogue import text
from devices.texts.languages import LANGUAGES, Language

AUTHORITY = "http://publications.europa.eu/resource/authority"
MEDIA = "https://www.iana.org/assignments/media-types"
FORMS: Mapping[str, tuple[str, str]] = {
    "csv": ("text/csv", "CSV"),
    "geojson": ("application/geo+json", "GEOJSON"),
    "parquet": ("application/vnd.apache.parquet", "PARQUET"),
}
"""Of each ending: its media type, and its name in the authority table of file types."""
CONTEXT: Mapping[str, Any] = {
    "dcat": "http://www.w3.org/ns/dcat#",
    "dct": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}


def document(root: str, towns: Iterable[PublishedTown], kinds: Iterable[Kind]) -> dict[str, Any]:
    """Return the catalogue. root: the address below which everything is."""
    public = [kind for kind in kinds if kind.public]
    published = list(towns)
    return {
        "@context": CONTEXT,
        "@id": f"{root}/catalogue.jsonld",
        "@type": "dcat:Catalog",
        "dct:title": _languages({one: text(one, "opendata.title") for one in LANGUAGES}),
        "dct:description": _languages({one: text(one, "opendata.intro") for one in LANGUAGES}),
        "dct:publisher": {"@type": "foaf:Agent", "foaf:name": "Nabd"},
        "dcat:dataset": [_dataset(root, town, kind) for town in published for kind in public],
    }


def _dataset(root: str, town: PublishedTown, kind: Kind) -> dict[str, Any]:
    address = f"{root}/{town.municipality}/{kind.name}"
    titles: dict[Language, str] = {
        language: f"{kind.title.get(language, kind.name)}: {town.title.get(language, town.municipality)}"
        for language in LANGUAGES
    }
    told: dict[Language, str] = {
        language: ", ".join(kind.measurement(name).label.get(language, name) for name in kind.public)
        for language in LANGUAGES
    }
    return {
        "@id": address,
        "@type": "dcat:Dataset",
        "dct:identifier": f"{town.municipality}/{kind.name}",
        "dct:title": _languages(titles),
        "dct:description": _languages(told),
        "dct:issued": {"@type": "xsd:dateTime", "@value": rfc3339(town.published_at)},
        "dct:publisher": {"@type": "foaf:Agent", "foaf:name": town.title.get("en", town.municipality)},
        "dct:accrualPeriodicity": {"@id": f"{AUTHORITY}/frequency/UPDATE_CONT"},
        "dcat:theme": [{"@id": f"{AUTHORITY}/data-theme/REGI"}],
        "dcat:keyword": [kind.name, town.municipality],
        "dcat:distribution": [_distribution(address, town, form) for form in FORMS],
    }


def _distribution(address: str, town: PublishedTown, form: str) -> dict[str, Any]:
    media_type, file_type = FORMS[form]
    return {
        "@id": f"{address}.{form}",
        "@type": "dcat:Distribution",
        "dcat:accessURL": {"@id": f"{address}.{form}"},
        "dcat:downloadURL": {"@id": f"{address}.{form}"},
        "dcat:mediaType": {"@id": f"{MEDIA}/{media_type}"},
        "dct:format": {"@id": f"{AUTHORITY}/file-type/{file_type}"},
        "dct:license": {"@id": LICENCES[town.licence].url},
    }


def _languages(texts: Mapping[Language, str]) -> list[dict[str, str]]:
    return [{"@language": language, "@value": text} for language, text in texts.items()]
