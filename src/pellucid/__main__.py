"""`python -m pellucid`: the command, where its name is not on the path."""

from .cli import main

main()
