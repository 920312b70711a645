"""What processes have used."""

from __future__ import annotations

import os
import subprocess
import sys
import time

from bench.throughput import usage


def test_cpu_of_a_process_grows_with_what_it_computes() -> None:
    before, start = usage.cpu_s([os.getpid()]), time.process_time()
    while time.process_time() - start < 0.2:
        pass

    assert usage.cpu_s([os.getpid()]) - before >= 0.1


def test_process_that_is_gone_has_used_nothing() -> None:
    nobody = 2**22 + 1  # beyond the largest process id

    assert usage.cpu_s([nobody]) == 0
    assert usage.peak_memory_mb(nobody) == 0
    assert usage.family(nobody) == [nobody]


def test_children_that_have_ended_count_as_used() -> None:
    before = usage.cpu_of_children_s()
    program = "import time\nwhile time.process_time() < 0.2: pass"
    subprocess.run([sys.executable, "-c", program], check=True)

    assert usage.cpu_of_children_s() - before > 0.185  # clocks count in hundredths, cut off
    assert usage.cpu_s([os.getpid()]) >= usage.cpu_of_children_s()


def test_family_holds_children_and_their_children() -> None:
    grandchild = "import os; print(os.getpid(), flush=True); input()"
    child = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {grandchild!r}])"
    with subprocess.Popen(
        [sys.executable, "-c", child], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        descendant = int(process.stdout.readline())

        assert usage.family(os.getpid())[0] == os.getpid()
        assert {process.pid, descendant} <= set(usage.family(os.getpid()))
        process.communicate("\n")


def test_memory_of_a_process_is_some_megabytes() -> None:
    assert 5 < usage.peak_memory_mb(os.getpid()) < 5_000
