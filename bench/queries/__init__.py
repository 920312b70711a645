"""How long questions about a day and a year take, and how much room the answers' sources take."""
