"""Rules on the ingest path, in the batch's transaction. No SQL of sweeps, no trial lives here."""
