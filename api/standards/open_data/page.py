"""The page about open data, for people, in their language. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from api.standards.open_data.catalogue import FORMS
from devices.kinds.kind import Kind
from devices.publishing.licences import LICENCES
from devices.publishing.published import PublishedTown
from devices.texts.catalogue import text
from devices.texts.languages import LANGUAGES, Language, direction_of, name_of

ROOT = "/open-data"


def written(language: Language, towns: Sequence[PublishedTown], kinds: Iterable[Kind]) -> str:
    """Return the page as HTML."""
    public = [kind for kind in kinds if kind.public]
    said = {
        "title": text(language, "opendata.title"),
        "intro": text(language, "opendata.intro"),
        "catalogue": text(language, "opendata.catalogue"),
    }
    others = " · ".join(
        f'<a href="{ROOT}?lang={one}" lang="{one}" hreflang="{one}">{escape(name_of(one))}</a>'
        for one in LANGUAGES
        if one != language
    )
    body = "".join(_town(language, town, public) for town in towns)
    empty = f"<p>{escape(text(language, 'opendata.none'))}</p>"
    return f"""<!doctype html>
<html lang="{language}" dir="{direction_of(language)}">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <meta name="color-scheme" content="light dark">
  <title>{escape(said["title"])} – Nabd</title>
  <link rel="stylesheet" href="/console/signin.css">
  <link rel="alternate" type="application/ld+json" href="{ROOT}/catalogue.jsonld">
</head>
<body>
  <main>
    <h1>{escape(said["title"])}</h1>
    <p>{others}</p>
    <p>{escape(said["intro"])}</p>
    {body or empty}
    <p><a href="{ROOT}/catalogue.jsonld">{escape(said["catalogue"])}</a></p>
  </main>
</body>
</html>
"""


def _town(language: Language, town: PublishedTown, kinds: Sequence[Kind]) -> str:
    licence = LICENCES[town.licence]
    title = town.title.get(language) or town.municipality
    rows = "".join(_kind(language, town, kind) for kind in kinds)
    under = escape(text(language, "opendata.licence"))
    link = f'<a href="{escape(licence.url)}" rel="license"><bdi>{escape(licence.title)}</bdi></a>'
    return f"<section><h2>{escape(title)}</h2><p>{under} {link}</p>{rows}</section>"


def _kind(language: Language, town: PublishedTown, kind: Kind) -> str:
    title = escape(kind.title.get(language, kind.name))
    labels = ", ".join(kind.measurement(name).label.get(language, name) for name in kind.public)
    files = " · ".join(
        f'<a href="{ROOT}/{town.municipality}/{kind.name}.{form}"><bdi>{file_type}</bdi></a>'
        for form, (_, file_type) in FORMS.items()
    )
    return f"<p><b>{title}</b> ({escape(labels)})<br>{files}</p>"
