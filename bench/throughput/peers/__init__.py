"""What people use today for the same job, measured on the same messages, broker and database.

`naive` and `careful` are the programs found in tutorials and in good code; `pipe` needs no program at all;
Telegraf is configured for speed. Each stores into a table of its own that has no unique key and promises
nothing: repeats are stored twice, and where messages are acknowledged before they are stored a kill loses
them.
"""
