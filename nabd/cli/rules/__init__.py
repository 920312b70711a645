"""`nabd rule`: one file for each group of its commands."""
