"""What is kept of readings beside themselves, and for how long: the columns and tables of hours and days.

Pure; below everything else that knows readings.
"""
