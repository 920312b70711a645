"""What this machine alone tells: whether its clock is right, and whether the API's port is free or ours."""

from __future__ import annotations

import ctypes
import http.client
import socket

from devices.instants import to_microseconds
from devices.texts.translated import say
from nabd import clock
from nabd.doctor.check import CheckResult, bad, fine, note
from nabd.settings import Settings
from store.connection import Connection

MOST_APART_S = 2.0
"""Rules of absence count seconds; what two machines that follow NTP differ by is a hundredth of this."""

_UNSYNCHRONISED = 5
"""TIME_ERROR of adjtimex(2): nothing keeps the clock right."""
_TIMEX_BYTES = 512
_ASK_S = 3.0
_DATABASE_CLOCK = "SELECT clock_timestamp()"


async def check_clock(connection: Connection, _: Settings) -> CheckResult:
    """Compare the clocks of this machine and of the database's, and ask whether anything keeps ours right."""
    before = clock.wall()
    theirs = to_microseconds(await connection.fetchval(_DATABASE_CLOCK))
    after = clock.wall()
    # Anywhere between question and answer it may have looked.
    ahead_s = max(theirs - after, 0) / 1e6 - max(before - theirs, 0) / 1e6
    if abs(ahead_s) > MOST_APART_S:
        apart = say("check.clock_behind", seconds=round(-ahead_s))
        if ahead_s > 0:
            apart = say("check.clock_ahead", seconds=round(ahead_s))
        return bad("clock", apart, say("check.follow_ntp"))
    if kernel_clock() == _UNSYNCHRONISED:
        return note("clock", say("check.clock_unkept"), say("check.set_ntp"))
    return fine("clock", say("check.clock_agrees"))


def kernel_clock() -> int:
    """Return what Linux says of its clock; -1 where it says nothing."""
    try:
        return int(ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES)))
    except (OSError, AttributeError):
        return -1


def check_port(settings: Settings) -> CheckResult:
    """Tell whether `nabd api` could listen, or does."""
    host, port = settings.http_host, settings.http_port
    if port == 0:
        return fine("port", say("check.port_any"))
    try:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((host, port))
            listener.listen()
    except OSError as error:
        if _is_ours("127.0.0.1" if host in ("0.0.0.0", "") else host, port):  # noqa: S104 - compared, not bound
            return fine("port", say("check.port_ours", address=f"{host}:{port}"))
        taken = say("check.port_taken", address=f"{host}:{port}", error=error.strerror or str(error))
        return bad("port", taken, say("check.free_port", port=str(port)))
    return fine("port", say("check.port_free", address=f"{host}:{port}"))


def _is_ours(host: str, port: int) -> bool:
    asked = http.client.HTTPConnection(host, port, timeout=_ASK_S)
    try:
        asked.request("GET", "/healthz")
        answer = asked.getresponse()
        return answer.status == 200 and answer.read(100) == b'{"status":"ok"}'
    except (OSError, http.client.HTTPException):
        return False
    finally:
        asked.close()
