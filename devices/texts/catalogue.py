"""Texts by language and key, from `locale/*/LC_MESSAGES/nabd.po`, served by gettext.

The language is an argument, never a state of the process. A key is "group.name" and the same everywhere; the
console is given the names of its groups (api.pages.texts). Must not know what a text is for.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from gettext import GNUTranslations
from importlib import resources
from io import BytesIO
from typing import TYPE_CHECKING

from babel import Locale
from babel.numbers import format_decimal

from devices.texts.languages import Language

if TYPE_CHECKING:
    from babel.messages.catalog import Catalog

Value = str | float
Forms = Mapping[str, str]
"""A text that depends on a number, by the number's CLDR category: zero, one, two, few, many or other."""

_EXAMPLES = 200
"""Below this number every category occurs that has a form of its own (French millions have none)."""


def text(language: Language, key: str, **values: Value) -> str:
    """Return a text with its placeholders filled in; numbers are written as the language writes them."""
    return _filled(_translations(language).gettext(key), language, values)


def plural(language: Language, key: str, n: int, **values: Value) -> str:
    """Return the form of a text that fits a number, which is its placeholder {n}."""
    return _filled(_translations(language).ngettext(key, key, n), language, {"n": n, **values})


def group(language: Language, name: str) -> dict[str, str | Forms]:
    """Return the texts of one group by their name in it, placeholders not filled in."""
    keys = [(m.id if isinstance(m.id, str) else m.id[0], m.pluralizable) for m in _read(language) if m.id]
    wanted = [(key, many) for key, many in keys if key.startswith(f"{name}.")]
    return {
        key.removeprefix(f"{name}."): _forms(language, key) if many else _translations(language).gettext(key)
        for key, many in wanted
    }


def _forms(language: Language, key: str) -> Forms:
    examples = {Locale(language).plural_form(n): n for n in range(_EXAMPLES)}
    return {category: _translations(language).ngettext(key, key, n) for category, n in examples.items()}


def _filled(found: str, language: Language, values: Mapping[str, Value]) -> str:
    return found.format(**{name: _written(value, language) for name, value in values.items()})


def _written(value: Value, language: Language) -> str:
    return value if isinstance(value, str) else format_decimal(value, locale=language)


@cache
def _read(language: Language) -> Catalog:
    # Most commands say nothing from here, and need not wait for these imports.
    from babel.messages.pofile import read_po

    file = resources.files("devices.texts") / "locale" / language / "LC_MESSAGES" / "nabd.po"
    return read_po(BytesIO(file.read_bytes()), locale=language)


@cache
def _translations(language: Language) -> GNUTranslations:
    from babel.messages.mofile import write_mo

    compiled = BytesIO()
    write_mo(compiled, _read(language))
    compiled.seek(0)
    return GNUTranslations(compiled)
