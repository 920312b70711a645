"""What `nabd bench ingest --json` has printed, read again: two versions compared, pair by pair."""
