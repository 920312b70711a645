"""How many random histories the tests of the evaluator try."""

from __future__ import annotations

import os

LONG = os.environ.get("NABD_FAULTS") == "long"
"""Whether the long form runs: `make faults`."""
