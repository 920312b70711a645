"""Working calendars: when the people of a municipality work. Knows no work orders."""
