"""Benchmarks and labelled data: how fast Nabd is, and how good its rules are. In a checkout, not the wheel.

Knows everyone; nobody knows it. `nabd bench` finds it by its place beside `nabd/`.
"""

from pathlib import Path

CHECKOUT = Path(__file__).parents[1]
"""Where programs that a benchmark starts find `bench`."""
