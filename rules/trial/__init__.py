"""Rules on trial: over history, and beside the live ones. No alert is raised here."""
