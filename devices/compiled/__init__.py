"""How functions in the part of Python that numba compiles become a file, and functions again.

part: what belongs into one file. build: compiles it, and alone imports numba. machine_code: the file and what
it becomes. Must not know what the functions are for; see docs/adr/0024 and 0026.
"""
