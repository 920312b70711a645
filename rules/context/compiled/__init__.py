"""Functions of a device's own past by compiled code (docs/adr/0026).

kernel: the functions, which devices.compiled.build compiles; part: which; trial: whether they are right.
histories: gives them their arrays, and makes patches of what they keep. Must not know rules, or where the
functions of a process come from.
"""
