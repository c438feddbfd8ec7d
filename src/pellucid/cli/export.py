"""`pellucid export`: take a network elsewhere, to NumPy, PyTorch or ONNX."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import ArgumentError
from .common import Json, console, show_json

if TYPE_CHECKING:
    from ..io import Exported
    from ..nn import Module

EXAMPLES = """
\b
Examples:
  pellucid export pellucid-runs/tour/network.best.safetensors -o digits.py
  pellucid export network.safetensors --to torch -o digits.py
  pellucid export network.safetensors --to onnx -o digits.onnx --shape 1,28,28
  pellucid export weights.safetensors --code train.py:build -o net.py
"""


class Target(StrEnum):
    """Where a network can go."""

    NUMPY = "numpy"
    TORCH = "torch"
    ONNX = "onnx"


def command(
    model: Annotated[
        Path, typer.Argument(metavar="MODEL", help="A .safetensors file with the weights.")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="What to write.")],
    to: Annotated[
        Target | None, typer.Option("--to", help="By default numpy for .py, onnx for .onnx.")
    ] = None,
    code: Annotated[
        str | None,
        typer.Option(
            "--code",
            metavar="FILE.py:NAME",
            help="Your code that builds the network: a function, a class, or the network itself.",
        ),
    ] = None,
    shape: Annotated[
        str | None,
        typer.Option(metavar="SIZES", help="Of one example, such as 784 or 1,28,28."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Write a network as a NumPy script, a PyTorch module or an ONNX file.

    MODEL was written by the tour, or by pellucid.save_model, which keep what the network is made
    of; or it holds weights only, and --code names the code that builds the network. What is written
    predicts once, and is compared.
    """
    from ..io import export
    from ..io.exporting.door import target

    target(out, to)  # said before anything is loaded
    network = _network(model, code)
    done = export(network, out, to, shape=_sizes(shape))
    if as_json:
        show_json(_plain(done))
    else:
        _show(done)


def _network(path: Path, code: str | None) -> Module:
    """The network with its weights."""
    from ..io import load, load_model

    if not path.exists():
        raise ArgumentError(f"there is no file {path}")
    if code is None:
        return load_model(path)
    network = _built(code)
    state = load(path)
    if isinstance(state, dict) and isinstance(state.get("state"), dict):  # a checkpoint of a run
        state = state["state"].get("model", state)
    network.load_state_dict(state)
    return network


def _built(code: str) -> Module:
    """The network that a file of the user's builds."""
    import sys
    from importlib.util import module_from_spec, spec_from_file_location

    from ..nn import Module

    file, _, name = code.rpartition(":")
    path = Path(file)
    if not file.endswith(".py") or not name:
        raise ArgumentError(f"--code is a file and a name in it, such as net.py:build, not {code}")
    if not path.exists():
        raise ArgumentError(f"there is no file {path}")
    spec = spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.path.insert(0, str(path.parent.resolve()))
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.pop(0)
    found: Any = getattr(module, name, None)
    if found is None:
        known = ", ".join(n for n in vars(module) if not n.startswith("_"))
        raise ArgumentError(f"{path.name} has no {name}; it has: {known}")
    made = found if isinstance(found, Module) else found()
    if not isinstance(made, Module):
        raise ArgumentError(f"{name} of {path.name} gives {type(made).__name__}, not a Module")
    return made


def _sizes(shape: str | None) -> tuple[int, ...] | None:
    if shape is None:
        return None
    try:
        sizes = tuple(int(n) for n in shape.replace("x", ",").split(",") if n.strip())
    except ValueError:
        sizes = ()
    if not sizes or min(sizes) < 1:
        raise ArgumentError(f"--shape is whole numbers, such as 784 or 1,28,28, not {shape}")
    return sizes


def _plain(done: Exported) -> dict[str, Any]:
    return {
        "to": done.to,
        "files": [str(file) for file in done.files],
        "checked": done.difference is not None,
        "difference": done.difference,
        "runner": done.runner,
    }


def _show(done: Exported) -> None:
    out = console()
    for file in done.files:
        out.print(f"{file}  ({file.stat().st_size:,} bytes)", soft_wrap=True)
    if done.difference is None:
        out.print(
            f"Not checked: {done.runner} is not installed here. "
            f"With it (pip install {done.runner}), the export is run and compared."
        )
    else:
        out.print(
            f"Checked: run by {done.runner}, it predicts the same "
            f"(largest difference {done.difference:.1g}, relative)."
        )
