"""What leaves for others: open data, under which licence, and who is told of entities when they change.

Nothing is public before somebody says so. Must not know HTTP, nor how it is written.
"""
