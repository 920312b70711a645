"""People and programs: who they are, how they show it, and what they may do where.

Roles and permissions are one declared table (roles). Must not know HTTP or the command line, nor what the
things are that a permission is about.
"""
