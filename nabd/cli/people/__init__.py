"""`nabd user` and `nabd token`: people and programs, and what they may do."""
