"""How long everything that grows is kept: the classes, their enforcement, and how they stand.

What a class is and how its rows go is said by the area that owns them; nothing here knows a column of theirs.
"""
