"""Parts started by Nabd where none are configured: a database, a broker. Knows nothing of what they hold."""
