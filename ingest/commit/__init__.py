"""One batch, one transaction: rows, ledger, receipts, and the ownership of the shard. Knows no broker."""
