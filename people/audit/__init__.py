"""The audit as it is read, and whether nobody has changed it since. How it is written: store.audit.

listing: rows by page and as a stream. chains: their heads, kept and compared. check: one chain, row by row.
expiry: whole months go, their heads stay.
"""
