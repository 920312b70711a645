"""Leaves the receiver's address out of what a service answered, as not all who see that may see it. Pure."""

from __future__ import annotations

import re

LEFT_OUT = "(left out)"


def without_address(answer: str, address: str) -> str:
    """Return an answer without an address, where it stands as a word; a number also with its +."""
    return re.sub(rf"(?<!\w)\+?{re.escape(address)}(?!\w)", LEFT_OUT, answer, flags=re.IGNORECASE)
