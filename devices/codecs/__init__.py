"""Vendors' own JavaScript codecs: run in processes that can do nothing else, asked by everyone else.

`Codecs` is all that others need. `sandbox` runs in those processes and alone knows the engine. Must not know
profiles' files, brokers or databases.
"""
