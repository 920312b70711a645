"""Rules on trial: over history, and beside the live ones. Nobody is alerted from here."""
