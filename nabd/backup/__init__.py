"""Backups: made, read back, and shown to be good.

errors: what is refused. keys: who can open one. sealed: encrypted files and their digests. manifest: what a
backup says of itself. programs: those of PostgreSQL that fit a server. database: dump and restore. files:
photos, heads of the audit, settings. making, restoring, verifying: the whole of each.
recovery: base backups with archived WAL, and the drill. What a database remembers of them is in
store.standing.backups.

Knows settings, store and the embedded server. Must not know rules, alerts or HTTP.
"""
