"""Where seccomp cannot be had, the log says so, once."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from devices.codecs import sandboxed
from devices.codecs.frames import SandboxReady
from devices.codecs.limits import Limits
from devices.codecs.sandboxed import Sandbox


@pytest.mark.parametrize(("confined", "lines"), [(True, 0), (False, 1)])
async def test_a_sandbox_without_seccomp_is_told_once(
    monkeypatch: pytest.MonkeyPatch, confined: bool, lines: int
) -> None:
    class Ready:
        def decode(self, frame: bytes) -> SandboxReady:
            return SandboxReady(engine="quickjs", confined=confined)

    monkeypatch.setattr(sandboxed, "_ready", Ready())
    sandboxed._warn_once.cache_clear()
    with capture_logs() as logged:
        for _ in range(2):
            await (await Sandbox.start(Limits())).close()

    assert [one["event"].split(",")[0] for one in logged] == ["codecs run without seccomp"] * lines
