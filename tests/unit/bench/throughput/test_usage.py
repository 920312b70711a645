"""What processes have used, as /proc tells it."""

from __future__ import annotations

import os
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


def test_memory_of_a_process_is_some_megabytes() -> None:
    assert 5 < usage.peak_memory_mb(os.getpid()) < 5_000
