"""The checks of `nabd doctor`: what is wrong with an installation, and what to do about it.

check: what one says. installation: all of them, and what needs neither broker nor database. broker, database,
blind, configured, registry, clocks, notifier, oidc: of each. Must not change anything.
"""

from nabd.doctor.check import CheckResult, Verdict
from nabd.doctor.installation import examine

__all__ = ["CheckResult", "Verdict", "examine"]
