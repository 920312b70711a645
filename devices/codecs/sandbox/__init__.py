"""What runs in a process for codecs: the engine, and what keeps the process from everything else.

Started as `python -m devices.codecs.sandbox`, by `devices.codecs.sandboxed` alone.
"""
