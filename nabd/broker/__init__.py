"""The broker for commands and checks: its address, a client, its queue. Ingest has a session of its own."""
