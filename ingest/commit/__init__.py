"""One batch, one transaction: rows, ledger, receipts, and whose turn it is to write. Knows no broker."""
