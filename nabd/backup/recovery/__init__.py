"""Losing minutes instead of a night: base backups with archived WAL, recovery to an instant, and the drill.

archive-wal: what PostgreSQL calls for each finished segment; a shell script, since it runs where the server
does. base: a copy of the running server. recover: a directory a server starts from, up to an instant.
drill: kills a server and its disk for real, and measures.
"""
