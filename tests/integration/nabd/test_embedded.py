"""The PostgreSQL of our own: started, stopped, killed, moved to awkward directories."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from nabd.embedded.postgres import EmbeddedPostgres
from store.errors import StoreError, Unavailable
from tests.databases import FAST, execute, run


@pytest.fixture
def directory() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="nabd-test-"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


def lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def wait_until_gone(pid: int) -> None:
    deadline = time.monotonic() + 15
    while lives(pid):
        assert time.monotonic() < deadline, f"server {pid} still runs"
        time.sleep(0.05)


def test_rows_survive_a_restart_and_delete_leaves_nothing(directory: Path) -> None:
    server = EmbeddedPostgres(directory / "postgres", settings=FAST)
    with server:
        run(execute(server.dsn(), "CREATE TABLE kite (id int)"))
    with server:
        run(execute(server.dsn(), "SELECT id FROM kite"))
        pid = server.pid

    server.delete()

    wait_until_gone(pid)
    assert list(directory.iterdir()) == []


def test_committed_rows_survive_a_crash_of_the_server(directory: Path) -> None:
    server = EmbeddedPostgres(directory, settings=FAST)
    with server:
        run(execute(server.dsn(), "CREATE TABLE kite (id int)"))
        server.stop_server("immediate")
        server.start()

        run(execute(server.dsn(), "SELECT id FROM kite"))


@pytest.mark.parametrize("name", ["x" * 120, "a b", "l'été نبض"])
def test_server_starts_in_a_directory_whose_path_no_socket_can_have(directory: Path, name: str) -> None:
    with EmbeddedPostgres(directory / name, settings=FAST) as server:
        run(execute(server.dsn(), "SELECT 1"))


def test_server_that_does_not_start_says_its_last_words(directory: Path) -> None:
    server = EmbeddedPostgres(directory, settings={"shared_buffers": "nonsense"})

    with pytest.raises(Unavailable, match='invalid value for parameter "shared_buffers"'):
        server.start()
    server.delete()


def test_dsn_before_start_is_refused(directory: Path) -> None:
    with pytest.raises(StoreError, match="not started"):
        EmbeddedPostgres(directory).dsn()


PARENT = """
import sys, time
from pathlib import Path
from nabd.embedded.postgres import EmbeddedPostgres
server = EmbeddedPostgres(Path(sys.argv[1]), settings={"fsync": "off"})
server.start()
print(server.pid, flush=True)
time.sleep(120)
"""


def test_server_ends_when_the_process_that_started_it_dies_without_a_word(directory: Path) -> None:
    command = [sys.executable, "-W", "error", "-c", PARENT]
    parents = {
        number: subprocess.Popen(
            [*command, str(directory / str(number))],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
    }
    for number, parent in parents.items():
        with parent:
            assert parent.stdout is not None
            pid = int(parent.stdout.readline())

            parent.send_signal(number)
            parent.wait(10)

        wait_until_gone(pid)
