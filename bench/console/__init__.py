"""The console in a browser: how soon it shows something, how soon it answers, and how its pages look."""
