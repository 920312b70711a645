"""Asks codecs, in processes that are replaced when a codec takes one down.

A codec that loops, throws or allocates costs its own message. One that ran into the limit of time has to
share one process with its like for a while, so that they never hold all of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from typing import Any, Final, Self, TypeVar

import msgspec

from devices import nesting
from devices.codecs.child import Child, Died
from devices.codecs.codec import Codec, CodecFailed, CodecTooSlow, Decoded, Encoded
from devices.codecs.frames import Answer, Call, Entry
from devices.codecs.limits import Limits

SLOW_S: Final = 60.0
"""So long after it ran out of time a codec shares one process with others that did."""

MAX_BYTES: Final = 65_536
"""Longest payload; of LoRaWAN it has 242 bytes at most, of HTTP it is a whole body."""


class _Uplink(msgspec.Struct):
    data: dict[str, Any]
    warnings: list[str] = []


class _Downlink(msgspec.Struct):
    bytes: list[int]
    fPort: int | None = None  # noqa: N815 - the vendors' name
    warnings: list[str] = []


class _Checked(msgspec.Struct):
    functions: list[str]


Answered = TypeVar("Answered", _Uplink, _Downlink, _Checked)
_uplink: Final = msgspec.json.Decoder(_Uplink)
_downlink: Final = msgspec.json.Decoder(_Downlink)
_checked: Final = msgspec.json.Decoder(_Checked)


class Codecs:
    """Processes that run codecs; use `async with`. A process starts when the first message needs it."""

    def __init__(self, *, processes: int = 1, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self._free: asyncio.LifoQueue[Child | None] = asyncio.LifoQueue()
        for _ in range(processes):
            self._free.put_nowait(None)
        self._processes = processes
        self._one_for_slow = asyncio.Lock()
        self._slow_until: dict[str, float] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *failure: object) -> None:
        for _ in range(self._processes):
            if child := await self._free.get():
                await child.close()

    async def decode(
        self,
        codec: Codec,
        payload: bytes,
        port: int | None,
        at: int,
        variables: Mapping[str, str] | None = None,
    ) -> Decoded:
        """Return what the codec makes of a device's bytes.

        Args:
            port: FPort. at: when it was received, microseconds since 1970 UTC; the codec sees milliseconds.
            variables: of the device, as ChirpStack hands them to codecs.

        Raises:
            CodecFailed: the codec threw, said `errors`, was stopped, or returned no object as `data`.
            CodecsAway: no process can be had; the codec is not to blame.
        """
        if len(payload) > MAX_BYTES:
            raise CodecFailed(f"{len(payload)} bytes of payload are too many; at most {MAX_BYTES}")
        argument = {"bytes": list(payload), "recvTime": at / 1000}
        text = await self._call(codec, "decode", argument, port, variables)
        uplink = _understood(text, _uplink)
        return Decoded(values=uplink.data, warnings=uplink.warnings)

    async def encode(
        self,
        codec: Codec,
        values: Mapping[str, object],
        port: int | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> Encoded:
        """Return the bytes that the codec makes of a command.

        Raises:
            CodecFailed: as `decode`; or `bytes` are not all between 0 and 255.
            CodecsAway: no process can be had.
        """
        text = await self._call(codec, "encode", {"data": dict(values)}, port, variables)
        downlink = _understood(text, _downlink)
        try:
            payload = bytes(downlink.bytes)
        except ValueError as error:
            raise CodecFailed("returned bytes that are not all between 0 and 255") from error
        return Encoded(payload=payload, port=downlink.fPort, warnings=downlink.warnings)

    async def functions(self, codec: Codec) -> list[str]:
        """Return which functions a codec has, of those that anybody calls: `decodeUplink` and its like.

        Raises:
            CodecFailed: its text is no JavaScript, or throws when it is loaded.
            CodecsAway: no process can be had.
        """
        return _understood(await self._call(codec, "check", {}), _checked).functions

    async def _call(
        self,
        codec: Codec,
        entry: Entry,
        argument: dict[str, object],
        port: int | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> str:
        argument["variables"] = dict(variables or {})
        if port is not None:
            argument["fPort"] = port
        call = Call(codec.digest, entry, msgspec.json.encode(argument).decode())
        now = asyncio.get_running_loop().time
        async with self._lane(codec.digest, now()):
            try:
                return _returned(await self._asked(codec, call))
            except CodecTooSlow:
                self._slow_until[codec.digest] = now() + SLOW_S
                raise

    def _lane(self, digest: str, now: float) -> AbstractAsyncContextManager[object]:
        if self._slow_until.get(digest, now) > now:
            return self._one_for_slow
        self._slow_until.pop(digest, None)
        return nullcontext()

    async def _asked(self, codec: Codec, call: Call) -> Answer:
        """Ask, and ask a new process once more where one died: the machine may have killed it."""
        try:
            return await self._asked_once(codec, call)
        except Died:
            pass
        try:
            return await self._asked_once(codec, call)
        except Died as died:
            raise CodecFailed(f"{died}, twice") from died

    async def _asked_once(self, codec: Codec, call: Call) -> Answer:
        async with self._child() as child:
            answer = await child.ask(call)
            if answer.outcome == "unknown":
                answer = await child.ask(msgspec.structs.replace(call, source=codec.source))
            return answer

    @asynccontextmanager
    async def _child(self) -> AsyncIterator[Child]:
        """Lend a process; one that did not answer is not lent again."""
        child = await self._free.get()
        try:
            if child is None:
                child = await Child.start(self.limits)
            yield child
        except BaseException:
            if child is not None:
                await child.close()
            child = None
            raise
        finally:
            self._free.put_nowait(child)


def _returned(answer: Answer) -> str:
    match answer.outcome:
        case "returned":
            return answer.text
        case "late":
            raise CodecTooSlow(answer.text)
        case _:
            raise CodecFailed(answer.text)


def _understood(text: str, decoder: msgspec.json.Decoder[Answered]) -> Answered:
    """Read JSON that a process with foreign code wrote."""
    if nesting.is_too_deep(text):
        raise CodecFailed(f"returned more than {nesting.MAX_DEPTH} levels of objects and arrays")
    try:
        return decoder.decode(text)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise CodecFailed(f"returned what cannot be used: {error}") from error
