"""The real ingest, each with one change that something is measured by; started as programs."""
