"""What is known of a database as a whole: how large its tables are, when it was backed up, its replica."""
