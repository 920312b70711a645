"""Rules that look across devices or at absence, on a timer by one leader. No reading passes through here.

Each family has a pure core (`core`), what reads and keeps its tables (the module of its name), and what does
the same over arrays of readings (`arrays`).
"""
