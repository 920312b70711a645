"""How something fills and when it will be full: learnt from readings and stored, twice an hour a device.

The arithmetic (profile, prediction) is pure; `learning` stores and `stored` reads. What is forecast is told
from outside; no rule is known and no alert is opened here.
"""
