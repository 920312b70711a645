"""`python -m nabd`."""

from nabd.cli import main

main()
