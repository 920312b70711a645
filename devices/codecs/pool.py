"""Asks codecs, in processes that are replaced when a codec takes one down.

A codec that loops, throws or allocates costs its own message. One that ran into the limit of time has to
share one process with its like for a while, as has one that took a process down, so that they never hold all.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from typing import Annotated, Any, Final, Self, TypeVar

import msgspec

from devices import nesting
from devices.codecs.codec import Codec, CodecFailed, CodecTooSlow, DecodedUplink, EncodedDownlink
from devices.codecs.frames import CodecAnswer, CodecCall, Entry
from devices.codecs.limits import Limits
from devices.codecs.sandboxed import Sandbox, SandboxEnded
from devices.codecs.tally import CodecTally
from devices.storable import storable

SLOW_S: Final = 60.0
"""So long after it ran out of time a codec shares one process with others that did."""

MAX_BYTES: Final = 65_536
"""Longest payload; of LoRaWAN it has 242 bytes at most, of HTTP it is a whole body."""


_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]+")
"""Nothing in a codec's error moves a cursor, breaks a line or turns the direction of what follows."""


class _Uplink(msgspec.Struct):
    data: dict[str, Any]
    warnings: list[str] = []


class _Downlink(msgspec.Struct):
    bytes: list[Annotated[int, msgspec.Meta(ge=0, le=255)]]
    fPort: Annotated[int, msgspec.Meta(ge=0, le=255)] | None = None  # noqa: N815 - the vendors' name
    warnings: list[str] = []


class _Checked(msgspec.Struct):
    functions: list[str]


Answered = TypeVar("Answered", _Uplink, _Downlink, _Checked)
_uplink: Final = msgspec.json.Decoder(_Uplink)
_downlink: Final = msgspec.json.Decoder(_Downlink)
_checked: Final = msgspec.json.Decoder(_Checked)


class Codecs:
    """Processes that run codecs; use `async with`. A process starts when a message needs it."""

    def __init__(self, *, processes: int = 2, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self._free: asyncio.LifoQueue[Sandbox | None] = asyncio.LifoQueue()
        for _ in range(processes):
            self._free.put_nowait(None)
        self._processes = processes
        self._tallies: dict[str, CodecTally] = {}
        self._one_for_slow, self._unhindered = asyncio.Lock(), nullcontext()
        self._slow_until: dict[str, float] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *failure: object) -> None:
        for _ in range(self._processes):
            if sandbox := await self._free.get():
                await sandbox.close()

    async def decode(
        self,
        codec: Codec,
        payload: bytes,
        port: int | None,
        at: int,
        variables: Mapping[str, str] | None = None,
    ) -> DecodedUplink:
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
        uplink = await self._call(codec, "decode", _argument(argument, port, variables), _uplink)
        return DecodedUplink(values=uplink.data, warnings=uplink.warnings)

    async def encode(
        self,
        codec: Codec,
        values: Mapping[str, object],
        port: int | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> EncodedDownlink:
        """Return the bytes that the codec makes of a command.

        Raises:
            CodecFailed: as `decode`; or `bytes` are not all whole numbers from 0 to 255.
            CodecsAway: no process can be had.
        """
        argument = _argument({"data": dict(values)}, port, variables)
        downlink = await self._call(codec, "encode", argument, _downlink)
        return EncodedDownlink(payload=bytes(downlink.bytes), port=downlink.fPort, warnings=downlink.warnings)

    async def functions(self, codec: Codec) -> list[str]:
        """Return which functions a codec has, of those that anybody calls: `decodeUplink` and its like.

        Raises:
            CodecFailed: its text is no JavaScript, or throws when it is loaded.
            CodecsAway: no process can be had.
        """
        return (await self._call(codec, "check", "{}", _checked)).functions

    async def _call(
        self, codec: Codec, entry: Entry, argument: str, decoder: msgspec.json.Decoder[Answered]
    ) -> Answered:
        now = asyncio.get_running_loop().time
        try:
            answer = await self._asked(codec, CodecCall(codec.digest, entry, argument))
            return _understood(answer, decoder)
        except CodecFailed as failed:
            if isinstance(failed, CodecTooSlow):
                self._slow_until[codec.digest] = now() + SLOW_S
            reason = _CONTROL.sub(" ", storable(failed.reason))
            self._tallies.setdefault(codec.name, CodecTally()).failure(codec.name, reason, now())
            raise type(failed)(f"codec {codec.name}: {reason}") from failed

    async def _asked(self, codec: Codec, call: CodecCall) -> CodecAnswer:
        """Ask, and ask a new process once more where one died: the machine may have killed it."""
        try:
            return await self._asked_once(codec, call)
        except SandboxEnded:
            self._slow_until[codec.digest] = asyncio.get_running_loop().time() + SLOW_S
        try:
            return await self._asked_once(codec, call)
        except SandboxEnded as died:
            raise CodecFailed(f"{died}, twice") from died

    async def _asked_once(self, codec: Codec, call: CodecCall) -> CodecAnswer:
        while True:
            lane = self._lane(codec.digest)
            async with lane, self._sandbox() as sandbox:
                if lane is not self._lane(codec.digest):
                    continue  # another message of this codec ran out of time while this one waited
                answer = await sandbox.ask(call)
                if answer.outcome == "unknown":
                    answer = await sandbox.ask(msgspec.structs.replace(call, source=codec.source))
                return answer

    def _lane(self, digest: str) -> AbstractAsyncContextManager[object]:
        """Return what a message of this codec has to hold while it holds a process."""
        until = self._slow_until.get(digest)
        if until is None:
            return self._unhindered
        if until > asyncio.get_running_loop().time():
            return self._one_for_slow
        del self._slow_until[digest]
        return self._unhindered

    @asynccontextmanager
    async def _sandbox(self) -> AsyncIterator[Sandbox]:
        """Lend a process; one that did not answer is not lent again."""
        sandbox = await self._free.get()
        try:
            if sandbox is None:
                sandbox = await Sandbox.start(self.limits)
            yield sandbox
        except BaseException:
            if sandbox is not None:
                await sandbox.close()
            sandbox = None
            raise
        finally:
            self._free.put_nowait(sandbox)


def _argument(known: dict[str, object], port: int | None, variables: Mapping[str, str] | None) -> str:
    known["variables"] = dict(variables or {})
    if port is not None:
        known["fPort"] = port
    return msgspec.json.encode(known).decode()


def _understood(answer: CodecAnswer, decoder: msgspec.json.Decoder[Answered]) -> Answered:
    """Read what a process with foreign code wrote."""
    if answer.outcome == "late":
        raise CodecTooSlow(answer.text)
    if answer.outcome != "returned":
        raise CodecFailed(answer.text)
    if nesting.is_too_deep(answer.text):
        raise CodecFailed(f"returned more than {nesting.MAX_DEPTH} levels of objects and arrays")
    try:
        return decoder.decode(answer.text)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise CodecFailed(f"returned what cannot be used: {error}") from error
