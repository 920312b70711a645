"""What is stored, taken as a whole: how large it is, how it leaves as a file, how it ends.

Above the other modules of readings, which know nothing of it.
"""
