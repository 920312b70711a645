"""The labelled fault benchmark: months of a simulated town through acceptance and rules, without a database.

town: what is simulated. life: the messages of its devices. judged: acceptance and stream rules. swept: sweep
rules. matching: alerts against faults. score: what that is worth. table: how it is told.
"""
