"""What the kernel and the functions it stands for agree on: part of the name of its file. Pure."""

from rules.context.memory.aggregates import MOST_REMEMBERED
from rules.context.memory.bits import NAN_BITS
from rules.context.memory.flatness import PROOF, RARE_PROOF, THINNED
from rules.context.memory.pace import ABSENT, BRISK, BRISK_FOR_US, EVENTS_FOR_US, KEPT, SLOW
from rules.context.memory.senders import FARTHEST
from rules.context.memory.slots import COUNT, KNOWN, LEARN_WITHIN, NORMAL, SLOTS, SUM, WIDTH

__all__ = [
    "ABSENT", "BRISK", "BRISK_FOR_US", "COUNT", "EVENTS_FOR_US", "FARTHEST", "KEPT", "KNOWN", "LEARN_WITHIN",
    "MOST_REMEMBERED", "NAN_BITS", "NORMAL", "PROOF", "RARE_PROOF", "SLOTS", "SLOW", "SUM", "THINNED",
    "WIDTH",
]  # fmt: skip
