"""Calendar buckets: where they begin, what is told of one, and how readings are summarised into them.

Reads only. Must not know rollups, which answer for whole buckets where they can.
"""
