"""Work at the desk: its page, and by keys alone."""
