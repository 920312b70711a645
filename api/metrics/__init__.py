"""What /metrics says: of this process, and of the platform. No route lives here."""
