"""Write it down: a recorded step as the plain NumPy program a person would have written."""

from .program import Program, write

__all__ = ["Program", "write"]
