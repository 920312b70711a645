"""What lies under the map: which tiles an installation names, and how they are read from a file.

Must not know devices, the database or who asks.
"""
