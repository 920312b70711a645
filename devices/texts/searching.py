"""What somebody who searches may mean: each word as it is compared, or what it is a name of.

"حاوية 7" finds the bins with a 7. What is found matches each of the regular expressions: in the database,
`text ~ ALL($1)`. Must not know where is searched.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from devices.texts.folding import folded

LONGEST = 200
MOST = 10


def meanings(words: str, names: Mapping[str, Iterable[str]]) -> tuple[str, ...]:
    """Return a regular expression of what each word may mean; what is found has one meaning of every word.

    Args:
        words: what was typed; beyond MOST words the rest does not count.
        names: what things are called in any language, by the mark that a place of such a thing has
            ("kind:bin": Bin, Bac, حاوية).
    """
    called = {mark: [folded(name) for name in said] for mark, said in names.items()}
    return tuple(
        "|".join(
            re.escape(meant)
            for meant in (
                word,
                *(mark for mark, said in called.items() if any(word in name for name in said)),
            )
        )
        for word in folded(words[:LONGEST]).split()[:MOST]
    )
