"""How fast a message becomes a committed row here, where the time goes, and what others manage beside it.

A ladder of stages over one recorded stream. Must not be imported by what it measures.
"""
