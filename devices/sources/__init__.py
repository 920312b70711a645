"""Sources: what speaks for foreign devices, a broker, network server or webhook; and how it goes with each.

Must not know how a source is heard (nabd.bridge), nor HTTP.
"""
