"""How what other platforms and devices send becomes readings: formats of sources, then profiles of models.

Pure: bytes in, values out. Must not know brokers, databases or where a message came from.
"""
