"""What people do about alerts beyond seeing them: silence them."""
