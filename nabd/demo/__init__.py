"""`nabd demo`: a simulated town, and whether everything it said was stored and noticed."""
