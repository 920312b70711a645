"""Classes of devices that the benchmark judges apart, each with a score of its own.

apart: what a class is, and which there are. intervals: bins that report more often or rarely than their kind.
rough: bins that tell a rough percentage. One more class is one more entry in `apart`.
"""
