"""Another broker: NATS takes what devices publish, and JetStream stands between it and ingest."""
