"""Decodes a payload that the strict decoder refused: unknown keys are kept, faults are named.

Seldom needed, so it decodes one element at a time and says exactly which member is wrong.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

import msgspec

from devices.nesting import MAX_DEPTH, depth
from devices.wire import tokens
from devices.wire.rejected import Reason, Rejected

MAX_PAYLOAD = 65_536
"""Largest payload, in bytes."""
MAX_ELEMENTS = 1_000
"""Most elements in one array."""
LONE = -1
"""Position of the element of a payload that is one object and not an array."""

_PATH: Final = re.compile(r" - at `\$([^`]*)`$", re.DOTALL)
_SPACE: Final = b" \t\r\n"
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
            rejected.append(
                Rejected(message=message, reason=Reason.MALFORMED, detail=str(error), payload=payload)
            )
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
        if depth(raw) > MAX_DEPTH:
            raise _Fault(Reason.MALFORMED, f"nested deeper than {MAX_DEPTH} levels")
        try:
            # The standard library is stricter about escapes than msgspec. Numbers stay texts: none is out of
            # range.
            json.loads(raw.decode("utf-8"), parse_int=str, parse_float=str, parse_constant=_no_constant)
            typed = self._typed.decode(raw)
            unknown = {k: v for k, v in _object.decode(raw).items() if k not in self._known}
            return typed, _storable(unknown)
        except msgspec.ValidationError as error:
            raise _explain(error) from error
        except UnicodeDecodeError as error:
            raise _Fault(Reason.MALFORMED, str(error)) from error
        except (msgspec.DecodeError, ValueError) as error:
            return self._member_by_member(raw, str(error))

    def _member_by_member(self, raw: bytes, detail: str) -> tuple[Any, bytes | None]:
        """Decode an element of which some token cannot be read: it may belong to an unknown key."""
        try:
            members = tokens.members(raw)
            unknown = {name: tokens.kept(value) for name, value in members if name not in self._known}
        except ValueError as error:
            raise _Fault(Reason.MALFORMED, detail) from error
        known = {name: value for name, value in members if name in self._known}
        for name, value in known.items():
            self._check_value(name, value, detail)
        extra = json.dumps(unknown, ensure_ascii=False, allow_nan=False).encode() if unknown else None
        return self._typed.decode(_object_of(known)), extra

    def _check_value(self, name: str, value: bytes, detail: str) -> None:
        try:
            self._typed.decode(_object_of({name: value}))
        except msgspec.ValidationError as error:
            raise _explain(error) from error
        except msgspec.DecodeError as error:
            if not tokens.is_no_value(value):
                raise _Fault(Reason.MALFORMED, detail) from error
            reason = Reason.BAD_TIME if name == "ts" else Reason.BAD_VALUE
            said = value[:40].decode("utf-8", "replace")
            why = f"{said} is no value in JSON; leave the measurement out or send null"
            raise _Fault(reason, why, f"/{name}") from error


class _Fault(Exception):
    def __init__(self, reason: Reason, detail: str, pointer: str = "") -> None:
        super().__init__(detail)
        self.reason, self.detail, self.pointer = reason, detail, pointer


def split(payload: bytes) -> list[tuple[int, bytes]]:
    """Return the elements of a payload with their positions, LONE for one that is not an array.

    An element may be anything: only where one ends and the next begins is certain.

    Raises:
        ValueError: it is too large, neither an object nor an array, its brackets do not match, or it
            has not one to MAX_ELEMENTS elements.
    """
    if len(payload) > MAX_PAYLOAD:
        raise ValueError(f"{len(payload)} bytes, the limit is {MAX_PAYLOAD}")
    text = payload.strip(_SPACE)
    if text.startswith(b"{"):
        return [(LONE, text)]
    if not text.startswith(b"["):
        document = json.loads(payload.decode("utf-8"), parse_int=str, parse_float=str)
        raise ValueError(f"expected an object or an array of objects, got {_name_of(document)}")
    found = _elements(text)
    if not 0 < len(found) <= MAX_ELEMENTS:
        raise ValueError(f"an array of {len(found)} elements, expected 1 to {MAX_ELEMENTS}")
    return list(enumerate(found))


def _elements(array: bytes) -> list[bytes]:
    try:
        return [bytes(raw) for raw in _list.decode(array)]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return tokens.elements(array)


def element_bytes(payload: bytes, position: int) -> bytes:
    """Return one element of a payload that was split; all of it when it is not an array."""
    return payload if position < 0 else _elements(payload.strip(_SPACE))[position]


def pointer(element: int, member: str = "") -> str:
    """Return the JSON pointer of an element, or of one of its members."""
    escaped = member.replace("~", "~0").replace("/", "~1")
    return ("" if element == LONE else f"/{element}") + (f"/{escaped}" if member else "")


def rejection(
    message: int, payload: bytes, position: int, reason: Reason, detail: str, member: str = ""
) -> Rejected:
    """Return the rejection of one element of a payload that was split; `member`: what of it is at fault."""
    return Rejected(
        message=message,
        reason=reason,
        detail=detail,
        pointer=pointer(position, member),
        payload=element_bytes(payload, position),
    )


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not a number in JSON")


def _name_of(document: object) -> str:
    # Numbers arrive as texts, see split.
    return "null" if document is None else "a boolean" if isinstance(document, bool) else "a scalar"


def _object_of(members: dict[str, bytes]) -> bytes:
    return b"{" + b",".join(b'"%s":%s' % (name.encode(), value) for name, value in members.items()) + b"}"


def _explain(error: msgspec.ValidationError) -> _Fault:
    text = str(error)
    match = _PATH.search(text)
    detail = text[: match.start()] if match else text
    name = match[1].removeprefix(".") if match else ""
    if not name:
        return _Fault(Reason.MALFORMED, detail)
    return _Fault(Reason.BAD_TIME if name == "ts" else Reason.BAD_VALUE, detail, f"/{name}")


def _storable(unknown: dict[str, msgspec.Raw]) -> bytes | None:
    """Return unknown keys as a JSON object.

    Raises:
        ValueError: something in it cannot be kept as it is: U+0000, a number beyond a double.
    """
    if not unknown:
        return None
    extra = msgspec.json.encode(unknown)
    try:
        texts = _strings(msgspec.json.decode(extra))
    except msgspec.MsgspecError as error:
        raise ValueError(str(error)) from error
    if "\0" in texts:
        raise ValueError("the character U+0000 cannot be stored")
    return extra


def _strings(document: object) -> str:
    """Return all strings of a document, keys included, as one."""
    if isinstance(document, dict):
        return "".join(k + _strings(v) for k, v in document.items())
    if isinstance(document, list):
        return "".join(map(_strings, document))
    return document if isinstance(document, str) else ""
