"""`pellucid.export`: record one prediction, write it down, and see that it predicts the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import ArgumentError
from ...nn.module import Module
from ...nn.recording import Recording, record
from ...nn.sample import sample_inputs
from ..tensors import PathLike
from . import numpy_script, onnx_file, torch_module

Array = Any

WRITERS: dict[str, Callable[[Recording, Path], list[Path]]] = {
    "numpy": numpy_script.write,
    "torch": torch_module.write,
    "onnx": onnx_file.write,
}
RUNNERS: dict[str, tuple[str, Callable[[list[Path], tuple[Array, ...]], list[Array]]]] = {
    "numpy": ("numpy", numpy_script.run),
    "torch": ("torch", torch_module.run),
    "onnx": ("onnxruntime", onnx_file.run),
}
ENDINGS = {"numpy": ".py", "torch": ".py", "onnx": ".onnx"}
CLOSE = {"float64": 1e-9, "float32": 1e-4}  # relative to the largest number of an output


@dataclass(frozen=True)
class Exported:
    """What an export wrote.

    Attributes:
        to: "numpy", "torch" or "onnx".
        files: what was written, the program first.
        difference: by how much its predictions differ, relative to the largest number in them;
            None where it could not be run.
        runner: the package that ran it, or that would have to be there to run it.
        free_axes: the axes of the inputs that may have any length.
    """

    to: str
    files: list[Path]
    difference: float | None
    runner: str
    free_axes: tuple[int, ...]


def export(
    model: Module,
    path: PathLike,
    to: str | None = None,
    *,
    inputs: Any = None,
    shape: tuple[int, ...] | None = None,
) -> Exported:
    """Write a network as a NumPy script, a PyTorch module or an ONNX file.

    What is written is what one prediction runs, in the form it has in use (`eval()`); it takes any
    number of examples, and sequences of any length, where the model does. It is run once and
    compared with the model, where NumPy, PyTorch or onnxruntime is here to do so.

    Args:
        model: any module that is made of Pellucid's operations.
        path: the file; weights are kept beside a script, under the same name (.npz, .safetensors).
        to: "numpy", "torch" or "onnx"; None: by the ending, .py (numpy) or .onnx.
        inputs: an example of what the model is called with; a tuple for several inputs. None to
            find it out from the first layer.
        shape: in place of `inputs`, the shape of one example without its batch.

    Returns:
        The files, and how closely the predictions agree.

    Raises:
        ArgumentError: the target is unknown, an operation cannot be written, or what was written
            does not predict the same (then nothing is left behind).
        MissingExtraError: an ONNX file is asked for, and the package `onnx` is not installed.

    >>> import pellucid, tempfile, pathlib
    >>> from pellucid import nn
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> done = pellucid.export(nn.Sequential(nn.Linear(3, 2), nn.ReLU()), folder / "net.py")
    >>> [file.name for file in done.files], done.difference < 1e-6
    (['net.py', 'net.npz'], True)
    """
    path = Path(path)
    to = target(path, to)
    given = sample_inputs(model, shape) if inputs is None else inputs
    given = given if isinstance(given, (tuple, list)) else (given,)
    recording = record(model, tuple(given), free_axes=_may_be_free(given[0]))
    files = WRITERS[to](recording, path)
    package, run = RUNNERS[to]
    difference = None
    if find_spec(package):
        arrays = tuple({id(v): v.numbers for v in recording.inputs}.values())
        try:
            difference = _compared(recording, run(files, arrays))
        except BaseException:
            for file in files:
                file.unlink(missing_ok=True)
            raise
    return Exported(to, files, difference, package, recording.free_axes)


def target(path: Path, to: str | None) -> str:
    """What to write, by name or by the file's ending.

    Raises:
        ArgumentError: there is no such target, or the ending belongs to another.
    """
    if to is not None and not isinstance(to, str):
        raise ArgumentError(
            f"a network is exported to numpy, torch or onnx, not to a {type(to).__name__}.\n"
            "An example of its input is given by name: export(model, path, inputs=x)"
        )
    if to is None:
        to = {".onnx": "onnx", ".py": "numpy"}.get(path.suffix)
    if to not in WRITERS:
        said = f"not {to!r}" if to else f"and {path.name} does not tell which"
        raise ArgumentError(f"a network is exported to numpy, torch or onnx, {said}")
    if path.suffix != ENDINGS[to]:
        raise ArgumentError(
            f"an export to {to} is a file that ends in {ENDINGS[to]}, not {path.name}"
        )
    if to != "onnx" and not path.stem.isidentifier():
        raise ArgumentError(
            f"{path.name} could not be imported: a program's name is made of letters, digits and _"
        )
    return to


def _may_be_free(x: Any) -> tuple[int, ...]:
    """The first axis, and in sequences the second."""
    shape = np.shape(getattr(x, "_value", x))
    kind = np.asarray(getattr(x, "_value", x)).dtype.kind
    sequence = len(shape) == 3 or (len(shape) == 2 and kind in "iu")
    return (0, 1) if sequence else (0,) if len(shape) > 1 else ()


def _compared(recording: Recording, theirs: list[Array]) -> float:
    """The largest relative difference between the outputs.

    Raises:
        ArgumentError: they are not the same.
    """
    largest = 0.0
    for value, other in zip(recording.outputs, theirs, strict=True):
        ours = value.numbers
        size = max(float(np.abs(ours).max(initial=0)), 1e-30)
        if ours.shape != other.shape:
            raise ArgumentError(
                f"the export gives {other.shape} where the model gives {ours.shape}; this is a "
                "mistake of Pellucid's. Nothing was kept"
            )
        apart = np.abs(ours.astype(np.float64) - other) if ours.size else np.zeros(1)
        difference = float(np.nanmax(apart)) / size
        if not difference <= CLOSE.get(ours.dtype.name, 1e-9):
            raise ArgumentError(
                f"the export does not predict the same (off by {difference:.2g} of the largest "
                "number); this is a mistake of Pellucid's. Nothing was kept"
            )
        largest = max(largest, difference)
    return largest
