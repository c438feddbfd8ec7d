"""Imports go one way. The house of DESIGN: a layer knows only the layers below it.

Imports inside functions count as well, except where a layer hands a person on to a tool above it and
says so here; imports for type checkers only do not.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent.parent / "src" / "pellucid"

# From the ground up; a module may import its own layer and those before it.
LAYERS: list[set[str]] = [
    {"errors", "atomic", "allocator", "blas"},
    {"kernels"},
    {"tape", "shapes", "sparse", "random"},
    {"ops"},
    {"protocols", "methods", "tensor"},
    {"creation"},
    {"nn", "losses", "optim", "schedules", "init"},
    {"io"},
    {"train", "testing"},
    {"explain", "program"},
    {"federated"},
    {"book", "tour", "doctor", "bench"},
    {"lab"},
    {"cli"},
]
ASIDE = {
    "data": {"errors", "data", "atomic"}
}  # knows NumPy only, and everybody above ops may know it

# A door in the wall, at run time only: (who, whom, why)
DOORS = {
    ("tensor", "explain"): "the notebook's picture of a tensor",
    ("nn", "explain"): "model.draw, the picture of a network",
    ("train", "program"): "fit(compile=True)",
    ("data", "tensor"): "a DataLoader hands out tensors",
    ("data", "random"): "a DataLoader shuffles with the one generator",
}


def level(part: str) -> int | None:
    return next((i for i, layer in enumerate(LAYERS) if part in layer), None)


def part_of(module: str) -> str:
    """`pellucid.ops.base` belongs to `ops`."""
    pieces = module.split(".")
    return pieces[1] if len(pieces) > 1 else ""


def imports_of(path: Path) -> list[tuple[str, bool, int]]:
    """(module, inside a function, line) for each import that happens when the program runs."""
    package = ["pellucid", *path.relative_to(SOURCE).with_suffix("").parts]
    if package[-1] == "__init__":
        package.pop()
        inside = package
    else:
        inside = package[:-1]
    found: list[tuple[str, bool, int]] = []

    def visit(node: ast.AST, in_function: bool) -> None:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            return
        if isinstance(node, ast.Import):
            found.extend((alias.name, in_function, node.lineno) for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            base = inside[: len(inside) - node.level + 1] if node.level else []
            stem = ".".join([*base, *([node.module] if node.module else [])])
            if stem == "pellucid":
                found.extend((f"pellucid.{a.name}", in_function, node.lineno) for a in node.names)
            else:
                found.append((stem, in_function, node.lineno))
        deeper = in_function or isinstance(
            node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
        )
        for child in ast.iter_child_nodes(node):
            visit(child, deeper)

    visit(ast.parse(path.read_text(encoding="utf-8")), False)
    return found


def test_every_part_has_its_place() -> None:
    parts = {
        p.stem if p.is_file() else p.name
        for p in SOURCE.iterdir()
        if not p.name.startswith(("_", "py."))
    }
    known = set().union(*LAYERS, ASIDE)
    assert parts <= known, f"give {sorted(parts - known)} a place in LAYERS"


def test_imports_go_one_way() -> None:
    broken = []
    for path in sorted(SOURCE.rglob("*.py")):
        relative = path.relative_to(SOURCE)
        own = relative.parts[0].removesuffix(".py")
        if own.startswith("__"):
            continue
        for module, in_function, line in imports_of(path):
            other = part_of(module)
            if (
                not module.startswith("pellucid")
                or other == own
                or (level(other) is None and other not in ASIDE)
            ):
                continue
            if in_function and (own, other) in DOORS:
                continue
            if own in ASIDE:
                allowed = other in ASIDE[own]
            elif other in ASIDE:
                allowed = (level(own) or 0) > 2
            else:
                allowed = (level(other) or 0) <= (level(own) or 0)
            if not allowed:
                broken.append(f"{relative}:{line} imports {module}")
    assert not broken, "imports against the law:\n" + "\n".join(broken)


def name_of(path: Path) -> str:
    """`.../nn/linear.py` is `pellucid.nn.linear`."""
    parts = ["pellucid", *path.relative_to(SOURCE).with_suffix("").parts]
    return ".".join(parts).removesuffix(".__init__")


def needed_first(path: Path, names: set[str]) -> set[str]:
    """The modules that must be there whole before this one is: what it imports at its top level.

    The packages around it are at work when it is imported, and need not be whole.
    """
    own = name_of(path)
    package = own if path.stem == "__init__" else own.rpartition(".")[0]
    needed: set[str] = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Import):
            needed |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: package.count(".") + 2 - node.level] if node.level else []
            stem = ".".join([*above, *([node.module] if node.module else [])])
            inside = {f"{stem}.{alias.name}" for alias in node.names}
            needed |= inside & names
            needed |= {stem} if not inside <= names else set()
    around = {own.rsplit(".", n)[0] for n in range(1, own.count(".") + 1)}
    return {name for name in needed & names if name not in around | {own}}


def test_no_circular_import() -> None:
    paths = [p for p in SOURCE.rglob("*.py") if p.stem != "__main__"]
    names = {name_of(p) for p in paths}
    graph = {name_of(p): needed_first(p, names) for p in paths}
    assert graph["pellucid.nn.linear"] >= {"pellucid.nn.module", "pellucid.ops"}
    assert list(TopologicalSorter(graph).static_order())  # raises CycleError, naming the circle


def test_a_circle_would_be_found() -> None:
    with pytest.raises(CycleError):
        list(TopologicalSorter({"a": {"b"}, "b": {"c"}, "c": {"a"}}).static_order())


def test_importing_pellucid_loads_numpy_and_nothing_else() -> None:
    program = (
        "import sys, numpy\n"
        "before = set(sys.modules)\n"
        "import pellucid\n"
        "new = {m.split('.')[0] for m in set(sys.modules) - before}\n"
        "print(sorted(m for m in new if m not in sys.stdlib_module_names))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "['pellucid']"


@pytest.mark.parametrize(
    "path", sorted(SOURCE.rglob("*.py")), ids=lambda p: str(p.relative_to(SOURCE))
)
def test_no_part_is_a_stub(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert "NotImplementedError" not in text
    assert "TO" + "DO" not in text
