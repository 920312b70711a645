"""What becomes of each message, decided in memory: resolved, decoded, dated, accepted or refused. Pure."""
