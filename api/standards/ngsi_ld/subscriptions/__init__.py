"""Programs that are told of entities when they change (ETSI GS CIM 009, 5.8): asked for, followed, told.

`routes` takes subscriptions and shows how it goes. The process `nabd notify` runs `following`, which notices
what changed (`changes`, pure), judges it (`selection`, pure) and posts it (`endpoint`); only `routes` knows
FastAPI, which that process does without.
"""
