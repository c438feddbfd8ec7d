"""A loop program that runs: its text in a file, compiled by Numba, its arrays in place.

Numba keeps compiled code only of functions that stand in a file. So the text goes into a folder of the
user's cache, under a name made of what it says: the same program is compiled once on each machine.
"""

from __future__ import annotations

import hashlib
import importlib.util
import inspect
import re
import sys
from collections.abc import Callable
from functools import cache, cached_property
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from ... import atomic
from ...data.sources import cache as cache_folder
from ..known import names_in
from .reading import Reader
from .writing import Written

if TYPE_CHECKING:
    from ..program import Program

Array = Any
KEPT = "loops"  # the folder within the cache


@cache
def _dialect() -> str:
    """What compiled code depends on besides its own text: the functions that it imports, Numba."""
    from importlib.metadata import version

    from . import functions

    return "\n".join(
        [inspect.getsource(functions), version("numba"), version("numpy"), sys.version]
    )


def loaded(source: str) -> ModuleType:
    """The module with this text, from a file that is written if it is not there.

    Where the cache cannot be written, the program is compiled anew in each process.
    """
    digest = hashlib.sha256(f"{source}\n{_dialect()}".encode()).hexdigest()[:20]
    name = f"pellucid_loops_{digest}"
    if name in sys.modules:
        return sys.modules[name]
    path = cache_folder() / KEPT / f"{name}.py"
    module = ModuleType(name)
    try:
        if not path.exists() or path.read_text(encoding="utf-8") != source:
            atomic.write(path, source)
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    except OSError:
        exec(compile(source, name, "exec"), module.__dict__)
    sys.modules[name] = module
    return module


class LoopProgram:
    """A program as explicit, fused loops, ready to run.

    Attributes:
        source: its text.
        fused: what was put together and why, a line for each loop or call of NumPy's.
        arguments: the names of what its function is given.
        own: the arrays among them that are its own.
        settings: those settings that functions look up in the module.
        fresh: those of them that leave with the result: name, shape, type.
        whole: whether it is one compiled function.
        repeats: whether there is a second one, `epoch`, that goes through many batches.
    """

    def __init__(
        self,
        program: Program,
        arrays: dict[str, Array],
        settings: dict[str, Any],
        inputs: list[str],
    ) -> None:
        given = {**{n: a.copy() for n, a in arrays.items()}, **settings}
        space = {n: v for n, v in program.namespace.items() if n not in (*given, "__builtins__")}
        with np.errstate(all="ignore"):
            reader = Reader(program.source, program.title, space, given)
            made = Written(reader, program.title, inputs)
        self.title, self.source, self.fused = program.title, made.source, made.fused
        self.arguments, self.whole, self.repeats = made.arguments, made.whole, made.repeats
        self.returned = made.returned
        read = {n for f in reader.used for n in names_in(reader.functions[f])}
        self.settings = sorted(read & set(settings) - {"t"})
        self.draws = "rng" in program.namespace
        self.own = {n: np.empty(shape, kind) for n, shape, kind, _ in made.own()}
        self.fresh = [(n, shape, kind) for n, shape, kind, leaves in made.own() if leaves]
        self.module = loaded(self.source)
        self.function = getattr(self.module, self.title)

    @cached_property
    def result(self) -> Callable[[list[Any]], Any]:
        """What the program returns, from the list of its arguments."""
        if not self.whole:
            raise TypeError("its function returns the result itself")
        place = {n: f"_[{i}]" for i, n in enumerate(self.arguments)}
        code = re.sub(r"\b[A-Za-z_]\w*\b", lambda m: place.get(m[0], m[0]), self.returned)
        found: Callable[[list[Any]], Any] = eval(f"lambda _: {code}", {"np": np})
        return found


__all__ = ["LoopProgram", "loaded"]
