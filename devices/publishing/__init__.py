"""Open data: which municipality publishes what its devices say, and under which licence.

Nothing is public before somebody says so. Must not know HTTP, nor how it is written.
"""
