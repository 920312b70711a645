"""Takes from the process whatever a codec does not need: files, network, other processes, memory without end.

The engine gives JavaScript nothing of the kind. This is for the day when somebody finds a hole in the engine.
Linux alone has seccomp; elsewhere, and on machines that are not in the table, the limits stand alone.
"""

from __future__ import annotations

import ctypes
import os
import platform
import resource
import struct
from typing import Final

_SET_DUMPABLE: Final = 4
_SET_SECCOMP: Final = 22
_SET_NO_NEW_PRIVILEGES: Final = 38
_FILTER: Final = 2

_ALLOW: Final = 0x7FFF0000
_REFUSE: Final = 0x00050000 | 1
"""EPERM, instead of the end of the process: another C library may ask for something harmless first."""

_LOAD: Final = 0x20  # BPF_LD | BPF_W | BPF_ABS
_JUMP_IF_EQUAL: Final = 0x15  # BPF_JMP | BPF_JEQ | BPF_K
_RETURN: Final = 0x06  # BPF_RET | BPF_K
_OFFSET_NUMBER: Final = 0
_OFFSET_ARCHITECTURE: Final = 4

# Memory, the clock, the pipes that are open, the timer, and the end. Numbers: the kernel's own tables.
_CALLS: Final = {
    "x86_64": (
        0xC000003E,
        {
            "read": 0, "write": 1, "close": 3, "mmap": 9, "mprotect": 10, "munmap": 11, "brk": 12,
            "rt_sigaction": 13, "rt_sigprocmask": 14, "rt_sigreturn": 15, "sched_yield": 24, "mremap": 25,
            "madvise": 28, "setitimer": 38, "getpid": 39, "exit": 60, "gettimeofday": 96, "getrusage": 98,
            "times": 100, "futex": 202, "restart_syscall": 219, "clock_gettime": 228, "exit_group": 231,
            "getrandom": 318,
        },
    ),
    "aarch64": (
        0xC00000B7,
        {
            "close": 57, "read": 63, "write": 64, "exit": 93, "exit_group": 94, "futex": 98, "setitimer": 103,
            "clock_gettime": 113, "sched_yield": 124, "restart_syscall": 128, "rt_sigaction": 134,
            "rt_sigprocmask": 135, "rt_sigreturn": 139, "times": 153, "getrusage": 165, "gettimeofday": 169,
            "getpid": 172, "brk": 214, "munmap": 215, "mremap": 216, "mmap": 222, "mprotect": 226,
            "madvise": 233, "getrandom": 278,
        },
    ),
}  # fmt: skip


def confine(memory_bytes: int) -> bool:
    """Give up what a codec does not need, for good. Tell whether seccomp stands behind the limits.

    Args:
        memory_bytes: how much this process may take beyond what it has now.
    """
    address_space = _address_space_bytes()
    os.chdir("/")
    for kind in (resource.RLIMIT_NOFILE, resource.RLIMIT_FSIZE, resource.RLIMIT_CORE, resource.RLIMIT_NPROC):
        resource.setrlimit(kind, (0, 0))
    if address_space is not None:
        most = address_space + memory_bytes
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
    return _only_harmless_calls()


def _address_space_bytes() -> int | None:
    try:
        with open("/proc/self/statm") as file:  # noqa: PTH123 - nothing else of pathlib is needed here
            return int(file.read().split()[0]) * resource.getpagesize()
    except OSError:
        return None


def _only_harmless_calls() -> bool:
    known = _CALLS.get(platform.machine())
    if known is None or platform.system() != "Linux":
        return False
    architecture, calls = known
    program = _program(architecture, sorted(calls.values()))
    library = ctypes.CDLL(None, use_errno=True)
    code = ctypes.create_string_buffer(program, len(program))
    described = struct.pack("@HP", len(program) // 8, ctypes.addressof(code))
    library.prctl(_SET_DUMPABLE, 0, 0, 0, 0)
    if library.prctl(_SET_NO_NEW_PRIVILEGES, 1, 0, 0, 0) != 0:
        return False
    return bool(library.prctl(_SET_SECCOMP, _FILTER, ctypes.c_char_p(described), 0, 0) == 0)


def _program(architecture: int, allowed: list[int]) -> bytes:
    """Return the filter: of this architecture's calls those allowed, refusing the rest."""
    steps = [
        (_LOAD, 0, 0, _OFFSET_ARCHITECTURE),
        (_JUMP_IF_EQUAL, 1, 0, architecture),
        (_RETURN, 0, 0, _REFUSE),
        (_LOAD, 0, 0, _OFFSET_NUMBER),
    ]
    for position, number in enumerate(allowed):
        steps.append((_JUMP_IF_EQUAL, len(allowed) - position, 0, number))
    steps += [(_RETURN, 0, 0, _REFUSE), (_RETURN, 0, 0, _ALLOW)]
    return b"".join(struct.pack("=HBBI", *step) for step in steps)
