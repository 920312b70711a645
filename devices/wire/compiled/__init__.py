"""What devices send, scanned into columns by compiled code (docs/adr/0024).

build: compiles kernel and lexemes, and alone imports them; trial: whether that is right. machine_code: the
file and what it becomes. scan: where a process puts it. scanner: its arrays; columns, relayed: their results.
"""
