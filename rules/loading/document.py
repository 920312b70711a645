"""A YAML or JSON text that people wrote, as nodes with their places, within bounds.

Must not know what it means.
"""

from __future__ import annotations

import yaml

from rules.definition.errors import RuleError
from rules.loading.bounds import check_nodes, check_text


def root_of(text: str, file: str = "") -> yaml.Node | None:
    """Return the root of a document, None where it is empty.

    Args:
        file: what mistakes are reported for.

    Raises:
        RuleError: it is no YAML, or holds what is not taken, with its place.
    """
    try:
        check_text(text)
        root: yaml.Node | None = yaml.compose(text, Loader=yaml.SafeLoader)
        check_nodes(root)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        problem = getattr(error, "problem", None) or str(error)
        raise RuleError(problem, file=file, line=line, column=column) from None
    except RuleError as error:
        error.file = file
        raise
    return root
