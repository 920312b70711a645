"""What is not refused in a rule, and should be known by who puts it into force. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleWarning:
    """What somebody who puts a rule into force should know, in one sentence."""

    rule: str
    message: str
