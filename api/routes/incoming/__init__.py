"""Ways in: readings that devices and platforms post, answered once ingest has committed them.

Nothing here writes readings: they go to our own broker as a registered gateway's.
"""
