"""What somebody who searches may mean: each word as it is compared, or what it is a name of.

"حاوية 7" finds the bins with a 7. Must not know where is searched.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from devices.texts.folding import folded

OR = "|"
"""Between the meanings of one word; the database splits there."""
LONGEST = 100
MOST = 10


def meanings(words: str, names: Mapping[str, Iterable[str]]) -> tuple[str, ...]:
    """Return what each word may mean, by OR; a place that is found has one meaning of every word.

    Args:
        words: what was typed; beyond MOST words the rest does not count.
        names: what things are called in any language, by the mark that a place of such a thing has
            ("kind:bin": Bin, Bac, حاوية).
    """
    called = {mark: [folded(name) for name in said] for mark, said in names.items()}
    return tuple(
        OR.join([word, *(mark for mark, said in called.items() if any(word in name for name in said))])
        for word in folded(words[:LONGEST]).replace(OR, " ").split()[:MOST]
    )
