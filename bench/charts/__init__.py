"""Pictures of what `nabd bench ingest --json` has printed, for docs/performance.md."""
