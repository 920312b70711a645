"""One process for codecs, from outside: given nothing, asked one thing at a time, killed when it is late."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, Self

import msgspec
import structlog

import devices
from devices.codecs.codec import CodecsAway, CodecTooSlow
from devices.codecs.frames import (
    LENGTH_BYTES,
    SLACK_BYTES,
    CodecAnswer,
    CodecCall,
    SandboxReady,
    framed,
    length_of,
)
from devices.codecs.limits import Limits

START_S: Final = 20.0
"""A busy machine takes its time to start an interpreter."""

_PACKAGES: Final = Path(devices.__file__).parents[1]
_answers: Final = msgspec.msgpack.Decoder(CodecAnswer)
_ready: Final = msgspec.msgpack.Decoder(SandboxReady)


class SandboxEnded(Exception):
    """The process ended before it answered; nobody knows yet whether the codec is to blame."""


log = structlog.get_logger(__name__)


@cache
def _warn_once() -> None:
    """Say it once in the life of this process: each message may start another sandbox."""
    log.warning("codecs run without seccomp, confined by limits and an empty environment alone")


@dataclass(slots=True)
class Sandbox:
    """A running process; not usable any more once `SandboxEnded` was raised."""

    ready: SandboxReady
    limits: Limits
    _process: asyncio.subprocess.Process

    @classmethod
    async def start(cls, limits: Limits) -> Self:
        """Start a process, and wait until it has confined itself.

        Raises:
            CodecsAway: it does not start.
        """
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-B", "-s", "-m", "devices.codecs.sandbox", msgspec.json.encode(limits).decode()),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                env={},  # settings and secrets stay with us
                cwd=_PACKAGES,
            )
        except OSError as error:
            raise CodecsAway(f"no process for codecs can be started: {error.strerror}") from error
        sandbox = cls(SandboxReady(engine="", confined=False), limits, process)
        try:
            async with asyncio.timeout(START_S):
                sandbox.ready = _ready.decode(await sandbox._read())
        except (SandboxEnded, TimeoutError, msgspec.MsgspecError) as error:
            await sandbox.close()
            raise CodecsAway(
                f"a process for codecs does not start (exit status {process.returncode});"
                f" try: {sys.executable} -m devices.codecs.sandbox '{{}}'"
            ) from error
        except BaseException:
            await sandbox.close()
            raise
        if not sandbox.ready.confined:
            _warn_once()
        return sandbox

    async def ask(self, call: CodecCall) -> CodecAnswer:
        """Return what became of a call; a process that cannot answer any more is gone afterwards.

        Raises:
            CodecTooSlow: the kernel ended the process for the processor time that this call took.
            SandboxEnded: it ended for another reason, is silent, or answered what is none.
        """
        assert self._process.stdin is not None
        try:
            async with asyncio.timeout(self.limits.answer_s):
                self._process.stdin.write(framed(call))
                return _answers.decode(await self._read())
        except (TimeoutError, msgspec.MsgspecError, SandboxEnded, OSError) as error:
            await self.close()
            if self._process.returncode == -signal.SIGPROF:
                milliseconds = round(self.limits.killed_after_s * 1000)
                raise CodecTooSlow(f"was ended after {milliseconds} ms of processor time") from error
            if isinstance(error, TimeoutError):
                raise SandboxEnded(f"did not answer within {self.limits.answer_s:g} s") from error
            raise SandboxEnded(f"took its process down ({self._end()})") from error
        except BaseException:
            await self.close()  # cancelled: the answer that is under way belongs to nobody
            raise

    async def close(self) -> None:
        """End the process, however it is."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()

    async def _read(self) -> bytes:
        assert self._process.stdout is not None
        try:
            length = length_of(await self._process.stdout.readexactly(LENGTH_BYTES))
            if length > 4 * self.limits.output_bytes + SLACK_BYTES:
                raise SandboxEnded("it writes what is no answer")
            return await self._process.stdout.readexactly(length)
        except asyncio.IncompleteReadError as error:
            # The status is what the kernel said; killing comes after it.
            await self._process.wait()
            raise SandboxEnded("it ended") from error

    def _end(self) -> str:
        status = self._process.returncode or 0
        return signal.Signals(-status).name if status < 0 else f"exit status {status}"
