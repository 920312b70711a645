"""The wire contract v1 for telemetry: payload bytes in, columns or rejections with a reason out.

Pure: knows kinds and columns, never the registry, a broker, a database or the time. docs/protocol.md is the
contract in words; tests/golden holds its examples.
"""

from devices.wire.compiled.scan import Kernel
from devices.wire.decode import Decoder
from devices.wire.decoded import Decoded
from devices.wire.elements import MAX_ELEMENTS, MAX_PAYLOAD
from devices.wire.gateway import Relayed
from devices.wire.rejected import Reason, Rejected
from devices.wire.splitter import Splitter

__all__ = [
    "MAX_ELEMENTS",
    "MAX_PAYLOAD",
    "Decoded",
    "Decoder",
    "Kernel",
    "Reason",
    "Rejected",
    "Relayed",
    "Splitter",
]
