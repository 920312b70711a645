"""The pages, scripts and styles of the console; served as they lie here."""
