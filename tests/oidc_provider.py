"""An OpenID Connect provider for tests: npm's oidc-provider (tests/oidc), asked as a browser asks it."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx2

from tests.npm_packages import install_into

DIRECTORY = Path(__file__).parent / "oidc"
CLIENT_ID, SECRET, PUBLIC_ID = "nabd", "a secret of tests", "public"
_FORM = re.compile(r'action="([^"]+)"')
_ABORT = re.compile(r'href="([^"]+/abort)"')


class NodeProvider:
    """One provider on a free port, as a context manager."""

    def __init__(self, redirect_uri: str) -> None:
        self.issuer = ""
        self._redirect_uri = redirect_uri
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        install_into(DIRECTORY, "oidc-provider")
        self._process = subprocess.Popen(
            ["node", "provider.mjs"],
            cwd=DIRECTORY,
            stdin=subprocess.PIPE,  # the server ends when this closes, and so never outlives us
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # it warns of what is for tests only
            text=True,
        )
        ready, _, self.issuer = self._ask([self._redirect_uri]).partition(" ")
        assert ready == "ready", f"oidc-provider did not start: {self._process.wait(10)}"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process is not None
        self._process.communicate(timeout=10)

    def know(self, subject: str, **claims: Any) -> None:
        """Say who somebody is from now on."""
        assert self._ask({"sub": subject, **claims}) == "known"

    def _ask(self, said: object) -> str:
        process = self._process
        assert process is not None
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(said) + "\n")
        process.stdin.flush()
        return process.stdout.readline().strip()


async def sign_in_there(address: str, subject: str | None) -> str:
    """Follow a browser that was sent to the provider; return where it is sent back.

    Args:
        address: where it was sent.
        subject: who signs in; None: they go back without.
    """
    async with httpx2.AsyncClient(follow_redirects=True, trust_env=False) as browser:
        page = await browser.get(address)
        found = (_ABORT if subject is None else _FORM).search(page.text)
        assert found is not None, page.text
        browser.follow_redirects = False
        if subject is None:
            answer = await browser.get(found[1])
        else:
            said = {"prompt": "login", "login": subject, "password": "any"}
            answer = await browser.post(found[1], data=said)
        # The provider goes on by itself once, and then sends the browser back.
        answer = await browser.get(answer.headers["location"])
        location: str = answer.headers["location"]
        return location
