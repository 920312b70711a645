"""Decodes a payload that the strict decoder refused: unknown keys are kept, faults are named.

Seldom needed, so it decodes one element at a time and says exactly which member is wrong.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

import msgspec

from devices.nesting import MAX_DEPTH, depth
from devices.wire.rejected import Reason, Rejected

MAX_PAYLOAD = 65_536
"""Largest payload, in bytes."""
MAX_ELEMENTS = 1_000
"""Most elements in one array."""
LONE = -1
"""Position of the element of a payload that is one object and not an array."""

_PATH: Final = re.compile(r" - at `\$([^`]*)`$", re.DOTALL)
_list = msgspec.json.Decoder(list[msgspec.Raw])
_object = msgspec.json.Decoder(dict[str, msgspec.Raw])

Good = tuple[int, Any, bytes | None]
"""Position (LONE without an array), the typed element, and its unknown keys as a JSON object."""


class ElementDecoder:
    """Decodes elements of one kind leniently: unknown keys are kept, each fault is named."""

    def __init__(self, struct: type[msgspec.Struct], known: frozenset[str]) -> None:
        self._typed = msgspec.json.Decoder(struct)
        self._known = known

    def decode(self, message: int, payload: bytes, rejected: list[Rejected]) -> list[Good]:
        """Return the elements that can be stored; append a Rejected for each that cannot."""
        try:
            parts = split(payload)
        except ValueError as error:
            reason = Reason.BAD_VALUE if isinstance(error, NotANumber) else Reason.MALFORMED
            rejected.append(Rejected(message=message, reason=reason, detail=str(error), payload=payload))
            return []
        good: list[Good] = []
        for position, raw in parts:
            try:
                good.append((position, *self._element(raw)))
            except _Fault as fault:
                rejected.append(
                    Rejected(
                        message=message,
                        reason=fault.reason,
                        detail=fault.detail,
                        pointer=pointer(position) + fault.pointer,
                        payload=raw,
                    )
                )
        return good

    def _element(self, raw: bytes) -> tuple[Any, bytes | None]:
        try:
            typed = self._typed.decode(raw)
            unknown = {k: v for k, v in _object.decode(raw).items() if k not in self._known}
        except msgspec.ValidationError as error:
            raise _explain(error) from error
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise _Fault(Reason.MALFORMED, str(error)) from error
        if not unknown:
            return typed, None
        extra = msgspec.json.encode(unknown)
        _check_storable(extra)
        return typed, extra


class _Fault(Exception):
    def __init__(self, reason: Reason, detail: str, pointer: str = "") -> None:
        super().__init__(detail)
        self.reason, self.detail, self.pointer = reason, detail, pointer


class NotANumber(ValueError):
    """A payload says NaN or Infinity, which JSON does not have."""


def split(payload: bytes) -> list[tuple[int, bytes]]:
    """Return the elements of a payload with their positions, LONE for one that is not an array.

    Raises:
        ValueError: it is too large, not UTF-8, not one JSON document, nested too deeply, or not of
            one to MAX_ELEMENTS elements.
    """
    if len(payload) > MAX_PAYLOAD:
        raise ValueError(f"{len(payload)} bytes, the limit is {MAX_PAYLOAD}")
    payload.decode("utf-8")
    if depth(payload) > MAX_DEPTH:
        raise ValueError(f"nested deeper than {MAX_DEPTH} levels")
    # The standard library is stricter about escapes than msgspec. Numbers stay texts: none is out of range.
    document = json.loads(payload, parse_int=str, parse_float=str, parse_constant=_no_constant)
    if isinstance(document, list):
        if not 0 < len(document) <= MAX_ELEMENTS:
            raise ValueError(f"an array of {len(document)} elements, expected 1 to {MAX_ELEMENTS}")
        return [(i, bytes(raw)) for i, raw in enumerate(_list.decode(payload))]
    if isinstance(document, dict):
        return [(LONE, payload.strip())]
    raise ValueError(f"expected an object or an array of objects, got {_name_of(document)}")


def element_bytes(payload: bytes, position: int) -> bytes:
    """Return one element of a payload that decoded; all of it when it is not an array."""
    return payload if position < 0 else bytes(_list.decode(payload)[position])


def pointer(element: int, member: str = "") -> str:
    """Return the JSON pointer of an element, or of one of its members."""
    escaped = member.replace("~", "~0").replace("/", "~1")
    return ("" if element == LONE else f"/{element}") + (f"/{escaped}" if member else "")


def _no_constant(name: str) -> None:
    raise NotANumber(f"{name} is not a number in JSON; leave the measurement out or send null")


def _name_of(document: object) -> str:
    # Numbers arrive as texts, see split.
    return "null" if document is None else "a boolean" if isinstance(document, bool) else "a scalar"


def _explain(error: msgspec.ValidationError) -> _Fault:
    text = str(error)
    match = _PATH.search(text)
    detail = text[: match.start()] if match else text
    name = match[1].removeprefix(".") if match else ""
    if not name:
        return _Fault(Reason.MALFORMED, detail)
    return _Fault(Reason.BAD_TIME if name == "ts" else Reason.BAD_VALUE, detail, f"/{name}")


def _check_storable(extra: bytes) -> None:
    """Refuse what jsonb cannot store or JSON readers cannot parse: U+0000, lone surrogates, huge numbers."""
    try:
        msgspec.json.decode(extra)
    except msgspec.DecodeError as error:
        raise _Fault(Reason.BAD_VALUE, f"an unknown key holds what cannot be kept: {error}") from error
    if "\0" in _strings(msgspec.json.decode(extra)):
        raise _Fault(Reason.BAD_VALUE, "the character U+0000 cannot be stored")


def _strings(document: object) -> str:
    """Return all strings of a document, keys included, as one."""
    if isinstance(document, dict):
        return "".join(k + _strings(v) for k, v in document.items())
    if isinstance(document, list):
        return "".join(map(_strings, document))
    return document if isinstance(document, str) else ""
