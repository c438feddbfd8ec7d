"""Write it down: a recorded step as the plain NumPy program a person would have written."""

from .compiled import Compiled, compile  # noqa: A004 - PyTorch's name for it
from .program import Program, write

__all__ = ["Compiled", "Program", "compile", "write"]
