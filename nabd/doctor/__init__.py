"""The checks of `nabd doctor`: what is wrong with an installation, and what to do about it.

check: what one says. codes: what it is called for ever. installation: all of them, and what needs neither
broker nor database. bundle: a file for whoever helps. The others: of what they are called. Must not change
anything.
"""

from nabd.doctor.check import CheckResult, CheckText, Verdict
from nabd.doctor.installation import examine, told

__all__ = ["CheckResult", "CheckText", "Verdict", "examine", "told"]
