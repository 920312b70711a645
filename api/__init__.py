"""HTTP, live stream and web console. Knows rules, devices and store; never ingest.

No SQL strings in handlers.
"""
