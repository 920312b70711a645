"""A sentence that is said later, in the reader's language: a key of the catalogue, and what stands in it.

Where lines run from right to left, names and commands keep their own direction. What stands between backticks
is a command to be copied: as it is typed, with nothing invisible in it. Must not know what is said.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Union

from devices.acceptable import undirected
from devices.texts.catalogue import plural, text
from devices.texts.languages import Language, direction_of, isolated

Part = Union[str, float, "TranslatedText", tuple[str, ...]]
"""What stands in a sentence: a name, a number, another sentence, or a list of names."""

_COMMAND = re.compile("`[^`]*`")
_UNIT = f"(?:{_COMMAND.pattern}|[!-~…]|\u2068[^\u2068\u2069]*\u2069)"
_RUN = re.compile(f"{_UNIT}+(?: +{_UNIT}+)*")
"""What is written without a letter of another script between: numbers, names, a command, a path."""
_LETTER = re.compile("\u2068[^\u2069]*\u2069|([A-Za-z])")


@dataclass(frozen=True, slots=True, kw_only=True)
class TranslatedText:
    """What is to be said; a text that has forms of number goes by the value `n`."""

    key: str
    values: Mapping[str, Part]

    def in_language(self, language: Language) -> str:
        """Return it as a reader of this language reads it."""
        said = _COMMAND.sub(_as_typed, _filled(self, language))
        return said if direction_of(language) == "ltr" else _RUN.sub(_kept_together, said)


def say(key: str, **values: Part) -> TranslatedText:
    """Return a sentence with what stands at its placeholders."""
    return TranslatedText(key=key, values=values)


def several(sentences: Sequence[TranslatedText]) -> TranslatedText:
    """Return sentences as one, in their order; there is at least one."""
    return reduce(lambda before, after: say("sentence.then", before=before, after=after), sentences)


def some_of(names: Sequence[str], most: int = 5) -> Part:
    """Return the first of many names, and how many there are beside them."""
    shown, others = tuple(names[:most]), len(names) - most
    return shown if others <= 0 else say("sentence.and_others", names=shown, n=others)


def _filled(sentence: TranslatedText, language: Language) -> str:
    values = {name: _written(part, language) for name, part in sentence.values.items()}
    n = sentence.values.get("n")
    if n is None:
        return text(language, sentence.key, **values)
    assert isinstance(n, int)
    return plural(language, sentence.key, n, **{name: v for name, v in values.items() if name != "n"})


def _written(part: Part, language: Language) -> str | float:
    match part:
        case TranslatedText():
            return _filled(part, language)
        case tuple():
            return _listed([_foreign(name, language) for name in part], language)
        case str():
            return _foreign(part, language)
    return part


def _foreign(value: str, language: Language) -> str:
    """Return what others wrote, which can neither turn the line nor begin or end a command."""
    return isolated(undirected(value).replace("`", ""), language)


def _as_typed(command: re.Match[str]) -> str:
    return undirected(command[0])


def _listed(names: Sequence[str], language: Language) -> str:
    return reduce(lambda one, next_: text(language, "sentence.list", before=one, after=next_), names or [""])


def _kept_together(found: re.Match[str]) -> str:
    """Return Latin words isolated, but for the punctuation around them: that is the sentence's."""
    run = found[0]
    if not any(_LETTER.findall(run)):
        return run  # names keep their direction already, and numbers have theirs
    body = run.lstrip(".,:;( ")
    before = run[: len(run) - len(body)]
    body = body.rstrip(".,:;")
    if body.endswith(")") and body.count(")") > body.count("("):
        body = body[:-1]
    return f"{before}\u2066{body}\u2069{run[len(before) + len(body) :]}"
