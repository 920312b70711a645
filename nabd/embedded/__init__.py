"""Parts of our own where none are configured: a database, a broker. What they carry is not known here."""
