"""What people do with the console, done by a browser and counted: for docs/tasks.md and for tests.

`hand` counts; a file for the tasks of each occupation; `rivals` says what the same takes elsewhere.
"""
