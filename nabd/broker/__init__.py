"""The broker as the shell meets it: its address, a client, its queue. Ingest has a session of its own."""
