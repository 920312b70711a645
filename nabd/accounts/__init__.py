"""Accounts of the database, one a process: what each may do, and how the database is brought to that.

grants: the table of what each may. granting: the database brought to it, after every migrate. making: the
accounts themselves, by a superuser, once. Knows tables by name; never what they mean.
"""
