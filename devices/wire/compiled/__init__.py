"""What devices send, scanned into columns by compiled code (docs/adr/0024).

kernel, lexemes: what devices.compiled.build compiles; part: which of it; trial: whether it is right. scan:
where a process puts it. scanner: its arrays; columns, relayed: their results.
"""
