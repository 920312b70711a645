"""What the kernel and who calls it agree on: compiled in, and part of the name of its file. Pure."""

from devices.kinds.kind import TEXT_LIMIT
from devices.wire.elements import LONE, MAX_ELEMENTS, MAX_PAYLOAD

__all__ = ["LONE", "MAX_ELEMENTS", "MAX_PAYLOAD", "TEXT_LIMIT"]

NUMBER, BOOLEAN, TEXT, TS, COUNTER, EXACT = range(6)
"""What is done with a key's value; EXACT: its message is left to the exact path."""
MEMBERS = 40
"""Most unknown keys of one element; one with more is left alone."""
HASH_SHIFT = 40
"""A key's or text's place in a table is its hash without so many bits, by the length of the table."""
NO_TIME = -(2**63)
"""As devices.wire.instants.ABSENT."""
MISSING = -1
"""As devices.columns.MISSING."""
