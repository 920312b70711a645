"""What somebody could do who has found a hole in the engine, and runs own code in a process for codecs."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import devices
from devices.codecs.codec import Codec, CodecFailed
from devices.codecs.frames import SandboxReady, framed
from devices.codecs.limits import Limits
from devices.codecs.pool import Codecs
from tests.codec_children import codec_process

PACKAGES = Path(devices.__file__).parents[1]
SEALED = sys.platform == "linux" and os.uname().machine in ("x86_64", "aarch64")
GOOD = Codec(name="good.js", source="function decodeUplink(i) { return { data: { n: i.bytes[0] } }; }")


@pytest.mark.attack("a hole in the engine")
@pytest.mark.skipif(not SEALED, reason="seccomp's table has no such machine")
@pytest.mark.parametrize(
    "deed",
    [
        "open('/etc/passwd')",
        "open('/tmp/written-by-a-codec', 'w')",
        "socket.socket()",
        "socket.socketpair()",
        "os.fork()",
        "os.execv('/bin/true', ['true'])",
        "os.kill(os.getppid(), 0)",
        "os.listdir('/')",
        "os.pipe()",
        "os.dup(0)",
        "os.setuid(0)",
        "resource.setrlimit(resource.RLIMIT_AS, (-1, -1))",
        "resource.prlimit(os.getppid(), resource.RLIMIT_AS, (1, 1))",
        "bytearray(2 ** 31)",
        "threading.Thread(target=print).start()",
        "ctypes.CDLL(None, use_errno=True).ptrace(0, 0, 0, 0) == -1 and (_ for _ in ()).throw(OSError())",
        "ctypes.CDLL(None, use_errno=True).syscall(0x40000000 + 2, b'/etc/passwd', 0) == -1 and int('x32')",
    ],
)
def test_code_that_left_the_engine_reaches_nothing(deed: str) -> None:
    program = f"""
    import ctypes, os, resource, socket, threading
    from devices.codecs.sandbox.confinement import confine
    assert confine(2 ** 27)
    try:
        {deed}
    except (OSError, MemoryError, RuntimeError, ValueError) as error:
        os.write(1, type(error).__name__.encode())
    else:
        os.write(1, b"done")
    os._exit(0)
    """

    ended = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        cwd=PACKAGES,
        env={},
        capture_output=True,
        check=False,
        timeout=30,
    )

    assert ended.stdout not in (b"done", b""), ended.stderr


@pytest.mark.attack("a hole in the engine")
async def test_process_knows_nothing_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NABD_SECRET_OF_OURS", "seen")
    async with Codecs(processes=1) as codecs:
        await codecs.decode(GOOD, b"\x01", 1, 0)
        process = codec_process()
        held = seen_by_root(process.pid)

    assert held["environ"] == ""
    assert held["fd"] == "0 1 2"
    assert "Max open files            0" in held["limits"]
    assert "NoNewPrivs:\t1" in held["status"]
    assert ("Seccomp:\t2" in held["status"]) == SEALED


def seen_by_root(pid: int) -> dict[str, str]:
    """Return what the kernel tells root about a process; it tells nobody else, as the process asked."""
    folder = Path(f"/proc/{pid}")
    try:
        held = {name: (folder / name).read_text() for name in ("environ", "limits", "status")}
        return held | {"fd": " ".join(sorted(one.name for one in (folder / "fd").iterdir()))}
    except PermissionError:
        pytest.skip("only root may look into a process that is not dumpable")


@pytest.mark.attack("a hole in the engine")
@pytest.mark.parametrize(
    "written",
    [
        b"\xff\xff\xff\xff",
        b"\x00\x00\x00\x02\xc1\xc1",
        framed(SandboxReady("another", True)),
    ],
)
async def test_process_that_writes_what_is_no_answer_fails_its_message(
    written: bytes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ready = framed(SandboxReady("taken over", True))
    program = tmp_path / "taken-over"
    program.write_text(
        f"#!{sys.executable}\nimport os\nos.write(1, {ready!r})\n"
        f"while os.read(0, 65536):\n    os.write(1, {written!r})\n"
    )
    program.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(program))
    async with Codecs(processes=1, limits=Limits(answer_s=5)) as codecs:
        with pytest.raises(CodecFailed, match="twice"):
            await codecs.decode(GOOD, b"\x07", 1, 0)
        monkeypatch.undo()

        assert (await codecs.decode(GOOD, b"\x07", 1, 0)).values == {"n": 7}
